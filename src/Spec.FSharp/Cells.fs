namespace Verified.Spec

/// A persistent array indexed by small consecutive integers: chunks of sixteen, so that a change copies one chunk and the
/// short list of chunks. The maps of a state (tensors, storages, versions) are these.
[<Sealed>]
type Cells<'T> private (chunks: 'T[][], count: int) =
    static let empty = Cells<'T>(Array.empty, 0)

    /// No cell.
    static member Empty = empty

    /// The number of cells; the next one added has this index.
    member _.Count = count

    member _.Item
        with get (index: int) = chunks[index >>> 4][index &&& 15]

    /// The same with one cell changed.
    member _.Set(index: int, value: 'T) =
        let chunks = Array.copy chunks
        let chunk = Array.copy chunks[index >>> 4]
        chunk[index &&& 15] <- value
        chunks[index >>> 4] <- chunk
        Cells<'T>(chunks, count)

    /// The same with one cell more.
    member _.Add(value: 'T) =
        if count &&& 15 = 0 then
            let more = Array.zeroCreate (chunks.Length + 1)
            System.Array.Copy(chunks, more, chunks.Length)
            let chunk = Array.zeroCreate 16
            chunk[0] <- value
            more[chunks.Length] <- chunk
            Cells<'T>(more, count + 1)
        else
            let chunks = Array.copy chunks
            let chunk = Array.copy chunks[count >>> 4]
            chunk[count &&& 15] <- value
            chunks[count >>> 4] <- chunk
            Cells<'T>(chunks, count + 1)
