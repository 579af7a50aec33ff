using Verified.Engine;

namespace Verified.Training;

/// <summary>Makes the values of a checkpoint from its pickle: which of Python's names there are, and what they stand for.</summary>
/// <remarks>Source: torch/_utils.py, torch/serialization.py and torch/_weights_only_unpickler.py of PyTorch 2.6.</remarks>
internal sealed class TorchReader
{
    private const int MaxRank = 64;

    private readonly string path;
    private readonly ZipRecords records;
    private readonly Dictionary<string, (StoredType Type, Tensor Flat)> storages = [];
    private readonly Dictionary<string, PickleGlobal> globals;

    public TorchReader(string path, ZipRecords records)
    {
        (this.path, this.records) = (path, records);
        globals = Globals().ToDictionary(g => g.Name);
    }

    /// <summary>The type that each tensor has in the file.</summary>
    public Dictionary<Tensor, StoredType> Types { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>The value of the whole file.</summary>
    public object? Read()
    {
        try
        {
            return new Unpickler(records.Read("data.pkl"), name => globals.GetValueOrDefault(name), Persistent).Load();
        }
        catch (PickleException e)
        {
            throw new FileFormatException(path, $"data.pkl: {e.Message}", e);
        }
    }

    /// <summary>A reference to a tensor's memory: its bytes are read when a tensor asks for them.</summary>
    private sealed record StorageReference(string Key, StoredType? Type, long Elements);

    private IEnumerable<PickleGlobal> Globals()
    {
        yield return new("collections.OrderedDict", a => a.Length == 0 ? new StateDict() : Pairs(a[0]));
        yield return new("collections.Counter", a => a.Length == 0 ? new StateDict() : (StateDict)a[0]!);
        // A dictionary with a default: the default itself, a type, is let go.
        yield return new("collections.defaultdict", _ => new StateDict());
        foreach (var type in new[] { "dict", "list", "set", "int", "float", "str" })
            foreach (var module in new[] { "builtins", "__builtin__" }) yield return new($"{module}.{type}", type == "set" ? a => a[0] : null);
        yield return new("_codecs.encode", a => a is [string text, "latin1" or "latin-1"] ? text.Select(c => checked((byte)c)).ToArray() : throw new InvalidCastException());
        yield return new("torch.Size", a => (object?[])a[0]!);
        yield return new("torch.device", a => string.Join(':', a));
        yield return new("torch._utils._rebuild_tensor_v2", a => Tensor((StorageReference)a[0]!, null, (long)a[1]!, a[2], a[3]));
        yield return new("torch._utils._rebuild_tensor_v3", a => Tensor((StorageReference)a[0]!, (string)a[6]!, (long)a[1]!, a[2], a[3]));
        yield return new("torch._utils._rebuild_tensor", a => Tensor((StorageReference)a[0]!, null, (long)a[1]!, a[2], a[3]));
        yield return new("torch._utils._rebuild_parameter", a => (Tensor)a[0]!);
        yield return new("torch._utils._rebuild_parameter_with_state", a => (Tensor)a[0]!);
        yield return new("torch._tensor._rebuild_from_type_v2", a => ((PickleGlobal)a[0]!).Call!((object?[])a[2]!));
        foreach (var type in new[] { "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "torch.storage.UntypedStorage" }) yield return new(type, null);
        foreach (var type in StoredType.All)
        {
            yield return new($"torch.{type.StorageName}", null);
            yield return new($"torch.{type.Name}", null, $"torch.{type.Name}");
        }
    }

    private StorageReference Persistent(object? id)
    {
        if (id is not object?[] { Length: 5 } parts || parts is not ["storage", PickleGlobal kind, string key, string, long elements])
            throw new PickleException("a persistent id is not the reference to a storage that PyTorch writes");
        var type = kind.Name == "torch.storage.UntypedStorage" ? null
            : StoredType.FromTorch(kind.Name.Split('.')[^1]) ?? throw new PickleException($"a storage is of type {kind.Name}");
        return new StorageReference(key, type, elements);
    }

    private Tensor Tensor(StorageReference reference, string? dtype, long offset, object? size, object? stride)
    {
        var type = (dtype is null ? reference.Type : StoredType.FromTorch(dtype.Split('.')[^1])) ?? throw new PickleException($"a tensor is of type {dtype ?? "(none)"}, which has no counterpart here");
        var (_, flat) = Storage(reference, type);
        var sizes = Integers(size);
        var strides = Integers(stride);
        if (sizes.Length != strides.Length || sizes.Length > MaxRank || offset < 0 || offset > flat.Count) throw new PickleException($"a tensor's sizes, strides and offset do not belong together, or have more than {MaxRank} dimensions");
        long count = 1, last = offset;
        for (var i = 0; i < sizes.Length; i++)
        {
            count *= sizes[i];
            if (count > int.MaxValue) throw new PickleException($"a tensor of shape [{string.Join(", ", sizes)}] has more elements than the 2^31 - 1 that are read");
            last += (sizes[i] - 1) * strides[i];
            if (sizes[i] > 0 && last > int.MaxValue) break;
        }

        if (count > 0 && last >= flat.Count) throw new PickleException($"a tensor of shape [{string.Join(", ", sizes)}] with strides [{string.Join(", ", strides)}] from element {offset} reaches beyond the {flat.Count} elements of its storage");
        // Elements that are there many times (an expanded tensor) take memory here.
        if (count > (16L * flat.Count) + 65_536) throw new PickleException($"a tensor repeats the {flat.Count} elements of its storage to {count}, which is more than is read");
        var shape = Array.ConvertAll(sizes, n => (int)n);
        var view = count == 0 ? Engine.Tensor.Zeros(shape, flat.DType)
            : IsContiguous(sizes, strides) ? flat.Narrow(0, (int)offset, (int)count).View(shape)
            : Gathered(flat, offset, sizes, strides, (int)count).View(shape);
        Types[view] = type;
        return view;
    }

    private (StoredType, Tensor) Storage(StorageReference reference, StoredType type)
    {
        if (storages.TryGetValue(reference.Key, out var known))
            return known.Type == type ? known : throw new PickleException($"storage {reference.Key} is of two types, {known.Type.Name} and {type.Name}");
        var name = $"data/{reference.Key}";
        var bytes = records.Length(name) ?? throw new PickleException($"the record {name} is missing");
        if (bytes % type.Size != 0 || bytes / (reference.Type is null ? 1 : type.Size) != reference.Elements || bytes > Array.MaxLength)
            throw new PickleException($"storage {reference.Key} of {reference.Elements} elements of {type.Name} has {bytes} bytes");
        var flat = type.ToTensor(records.Read(name), [(int)(bytes / type.Size)]);
        return storages[reference.Key] = (type, flat);
    }

    private static bool IsContiguous(long[] sizes, long[] strides)
    {
        var expected = 1L;
        for (var i = sizes.Length - 1; i >= 0; i--)
        {
            if (sizes[i] != 1 && strides[i] != expected) return false;
            expected *= sizes[i];
        }

        return true;
    }

    private static Tensor Gathered(Tensor flat, long offset, long[] sizes, long[] strides, int count)
    {
        var places = new long[count];
        var index = new long[sizes.Length];
        var place = offset;
        for (var i = 0; i < count; i++)
        {
            places[i] = place;
            for (var d = sizes.Length - 1; d >= 0; d--)
            {
                place += strides[d];
                if (++index[d] < sizes[d]) break;
                place -= index[d] * strides[d];
                index[d] = 0;
            }
        }

        return flat.IndexSelect(0, Engine.Tensor.Create(places));
    }

    private static long[] Integers(object? tuple) =>
        [.. ((object?[])tuple!).Select(n => (long)n! is var value and >= 0 and <= int.MaxValue ? value : throw new PickleException($"a tensor has {n} as a size or stride"))];

    private static StateDict Pairs(object? list)
    {
        var result = new StateDict();
        foreach (var pair in (IReadOnlyList<object?>)list!)
        {
            var two = (IReadOnlyList<object?>)pair!;
            result[two[0] is string or long ? two[0]! : throw new InvalidCastException()] = two[1];
        }

        return result;
    }
}
