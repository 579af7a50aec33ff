namespace Verified.Training;

/// <summary>The batches of an epoch in order, up to a bounded number of them being read ahead.</summary>
internal sealed class BatchPipeline : IDisposable
{
    private readonly DataLoader loader;
    private readonly EpochPlan plan;
    private readonly CancellationToken asked;
    private readonly CancellationTokenSource stop;
    private readonly Queue<Task<Batch>> ahead = new();
    private readonly int count;
    private int next;

    public BatchPipeline(DataLoader loader, EpochPlan plan, int first, CancellationToken cancellation)
    {
        (this.loader, this.plan, next, asked) = (loader, plan, first, cancellation);
        count = loader.Count;
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    }

    /// <summary>The next batch, or null after the last.</summary>
    public Batch? Next()
    {
        asked.ThrowIfCancellationRequested();
        if (loader.NumWorkers == 0) return next < count ? Read(next++) : null;
        while (next < count && ahead.Count < loader.NumWorkers)
        {
            var batch = next++;
            ahead.Enqueue(Task.Run(() => Read(batch), stop.Token));
        }

        // GetResult raises what the worker raised, with its own stack.
        return ahead.TryDequeue(out var task) ? task.GetAwaiter().GetResult() : null;
    }

    /// <summary>Stops what is being read ahead and waits for it, so that nothing touches files or generators afterwards.</summary>
    public void Dispose()
    {
        stop.Cancel();
        foreach (var task in ahead)
        {
            try
            {
                task.Wait(CancellationToken.None);
            }
            catch (AggregateException)
            {
                // Nobody waits for this batch any more.
            }
        }

        stop.Dispose();
    }

    private Batch Read(int batch)
    {
        var start = batch * loader.BatchSize;
        var records = plan.Order.AsSpan(start, Math.Min(loader.BatchSize, plan.Order.Length - start));
        return loader.Dataset.GetBatch(records, plan.BatchGenerator(batch), stop.Token);
    }
}
