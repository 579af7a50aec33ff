namespace Verified.Oracle;

/// <summary>A stream to be read once, such as a pipe, with its first bytes looked at before.</summary>
internal sealed class PeekedStream : Stream
{
    private readonly Stream _rest;
    private readonly byte[] _first;
    private int _given;

    /// <summary>Reads so many bytes ahead, or as many as there are.</summary>
    public PeekedStream(Stream stream, int count)
    {
        _rest = stream;
        var buffer = new byte[count];
        _first = buffer[..stream.ReadAtLeast(buffer, count, throwOnEndOfStream: false)];
    }

    /// <summary>The bytes that were looked at; all of them will still be read.</summary>
    public ReadOnlySpan<byte> First => _first;

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_given == _first.Length) return _rest.Read(buffer);
        var length = Math.Min(buffer.Length, _first.Length - _given);
        _first.AsSpan(_given, length).CopyTo(buffer);
        _given += length;
        return length;
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _rest.Dispose();
        base.Dispose(disposing);
    }
}
