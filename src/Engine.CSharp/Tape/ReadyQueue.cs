namespace Verified.Engine;

/// <summary>A binary heap of entries by priority, the largest first.</summary>
internal sealed class ReadyQueue
{
    private (long Priority, int Index)[] heap = new (long, int)[16];
    private int count;

    public void Push(int index, long priority)
    {
        if (count == heap.Length) Array.Resize(ref heap, 2 * count);
        var place = count++;
        while (place > 0)
        {
            var parent = (place - 1) >> 1;
            if (heap[parent].Priority >= priority) break;
            heap[place] = heap[parent];
            place = parent;
        }
        heap[place] = (priority, index);
    }

    public bool TryPop(out int index)
    {
        if (count == 0)
        {
            index = -1;
            return false;
        }
        index = heap[0].Index;
        var last = heap[--count];
        var place = 0;
        for (var child = 1; child < count; child = (2 * place) + 1)
        {
            if (child + 1 < count && heap[child + 1].Priority > heap[child].Priority) child++;
            if (last.Priority >= heap[child].Priority) break;
            heap[place] = heap[child];
            place = child;
        }
        heap[place] = last;
        return true;
    }

    public void Clear() => count = 0;
}
