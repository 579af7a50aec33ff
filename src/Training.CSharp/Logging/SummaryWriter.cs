using Verified.Engine;

namespace Verified.Training;

/// <summary>Writes an event file for TensorBoard, as PyTorch's <c>torch.utils.tensorboard.SummaryWriter</c>: <c>tensorboard --logdir DIR</c> shows it. May be used from several threads.</summary>
/// <remarks>Source: the messages Event, Summary, HistogramProto and TensorProto of tensorboard/compat/proto; torch/utils/tensorboard/summary.py.</remarks>
public sealed class SummaryWriter : IDisposable
{
    private static int files;

    private readonly Lock gate = new();
    private readonly RecordFile file;
    private readonly TimeProvider clock;
    private bool disposed;

    /// <summary>Starts a new event file in a folder, which is made where it is not there.</summary>
    /// <param name="logDir">The folder of this run.</param>
    /// <param name="clock">What the wall times are taken from; the system's where left out.</param>
    public SummaryWriter(string logDir, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(logDir);
        this.clock = clock ?? TimeProvider.System;
        LogDir = Path.GetFullPath(logDir);
        Directory.CreateDirectory(LogDir);
        var seconds = this.clock.GetUtcNow().ToUnixTimeSeconds();
        EventFile = Path.Combine(LogDir, $"events.out.tfevents.{seconds:0000000000}.{Environment.MachineName}.{Environment.ProcessId}.{Interlocked.Increment(ref files) - 1}");
        file = new RecordFile(EventFile);
        Write(new ProtoWriter().Double(Field.WallTime, Now()).Text(Field.FileVersion, "brain.Event:2"));
    }

    /// <summary>The folder.</summary>
    public string LogDir { get; }

    /// <summary>The file that is written.</summary>
    public string EventFile { get; }

    /// <summary>A point of a curve.</summary>
    /// <param name="tag">The curve's name; what stands before a slash groups curves.</param>
    /// <param name="value">The value, stored in single precision.</param>
    /// <param name="step">The step it belongs to.</param>
    public void AddScalar(string tag, double value, long step)
    {
        ArgumentNullException.ThrowIfNull(tag);
        Add(tag, step, new ProtoWriter().Single(Field.SimpleValue, (float)value));
    }

    /// <summary>How values are distributed, in buckets that grow by a tenth from 1e-12 to 1e20 on both sides of 0 (PyTorch's <c>bins="tensorflow"</c>).</summary>
    /// <param name="tag">Its name.</param>
    /// <param name="values">A tensor of any shape. Infinite and undefined elements are left out.</param>
    /// <param name="step">The step it belongs to.</param>
    /// <exception cref="ArgumentException">No element is finite.</exception>
    public void AddHistogram(string tag, Tensor values, long step)
    {
        ArgumentNullException.ThrowIfNull(tag);
        ArgumentNullException.ThrowIfNull(values);
        Add(tag, step, new ProtoWriter().Message(Field.Histogram, Histogram.Of(values.Detach().ToDoubles()).ToMessage()));
    }

    /// <summary>An image.</summary>
    /// <param name="tag">Its name.</param>
    /// <param name="image">(height, width) or (channels, height, width) with 1, 3 or 4 channels; values in 0 to 1.</param>
    /// <param name="step">The step it belongs to.</param>
    public void AddImage(string tag, Tensor image, long step)
    {
        ArgumentNullException.ThrowIfNull(tag);
        ArgumentNullException.ThrowIfNull(image);
        AddImage(tag, Image.FromTensor(image), step);
    }

    /// <inheritdoc cref="AddImage(string, Tensor, long)"/>
    public void AddImage(string tag, Image image, long step)
    {
        ArgumentNullException.ThrowIfNull(tag);
        ArgumentNullException.ThrowIfNull(image);
        Add(tag, step, new ProtoWriter().Message(
            Field.Image,
            new ProtoWriter().Integer(1, image.Height).Integer(2, image.Width).Integer(3, image.Channels).Blob(4, Png.Encode(image))));
    }

    /// <summary>A text, which TensorBoard shows as Markdown.</summary>
    public void AddText(string tag, string text, long step)
    {
        ArgumentNullException.ThrowIfNull(tag);
        ArgumentNullException.ThrowIfNull(text);
        const int typeString = 7;
        var shape = new ProtoWriter().Message(2, new ProtoWriter().Integer(1, 1));
        var metadata = new ProtoWriter().Message(1, new ProtoWriter().Text(1, "text"));
        Add(tag + "/text_summary", step, new ProtoWriter()
            .Message(Field.Metadata, metadata)
            .Message(Field.Tensor, new ProtoWriter().Integer(1, typeString).Message(2, shape).Text(8, text)));
    }

    /// <summary>Has the system put everything on the disk.</summary>
    public void Flush()
    {
        lock (gate) file.Flush();
    }

    /// <summary>Ends the file.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            file.Flush();
            file.Dispose();
        }
    }

    private void Add(string tag, long step, ProtoWriter content)
    {
        // The tag precedes the content, as in the files of the reference implementation; readers take any order.
        var value = new ProtoWriter().Text(Field.Tag, tag).Append(content);
        Write(new ProtoWriter().Double(Field.WallTime, Now()).Integer(Field.Step, step).Message(Field.Summary, new ProtoWriter().Message(1, value)));
    }

    private void Write(ProtoWriter message)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            file.Write(message.ToArray());
        }
    }

    private double Now() => (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    /// <summary>The numbers of the messages' fields.</summary>
    private static class Field
    {
        public const int WallTime = 1, Step = 2, FileVersion = 3, Summary = 5;
        public const int Tag = 1, SimpleValue = 2, Image = 4, Histogram = 5, Tensor = 8, Metadata = 9;
    }
}
