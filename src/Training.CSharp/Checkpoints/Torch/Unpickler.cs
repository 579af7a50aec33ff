using System.Buffers.Binary;
using System.Text;

namespace Verified.Training;

/// <summary>
/// Reads a pickle into plain values: null, bool, long, double, string, byte[], lists, tuples as <c>object?[]</c>, dictionaries as <see cref="StateDict"/>. It is a
/// machine with a stack and a memo that can make nothing else: a name is looked up in a table, and what is not there is refused.
/// </summary>
/// <param name="bytes">The pickle.</param>
/// <param name="globals">From module and name to what stands for it, or null.</param>
/// <param name="persistent">From a persistent id to its value.</param>
internal sealed class Unpickler(byte[] bytes, Func<string, PickleGlobal?> globals, Func<object?, object?> persistent)
{
    /// <summary>How deep values may lie in one another.</summary>
    public const int MaxDepth = 100;

    /// <summary>How many values there may be, one that is there many times counted as often.</summary>
    public const int MaxValues = 4_000_000;

    private static readonly object MarkObject = new();
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly List<object?> stack = [];
    private readonly Dictionary<uint, object?> memo = [];
    private int at;
    private int visited;

    /// <summary>Runs the pickle to its end.</summary>
    /// <exception cref="PickleException">It asks for what is not allowed, or is no pickle.</exception>
    public object? Load()
    {
        try
        {
            while (true)
            {
                var code = Byte();
                if (code != Pickle.Stop)
                {
                    Step(code);
                    continue;
                }

                var result = Pop();
                if (stack.Count > 0) throw new PickleException("the pickle ends with values left over");
                CheckSize(result, 0);
                return result;
            }
        }
        catch (ArgumentException e) when (e is DecoderFallbackException)
        {
            throw new PickleException($"a text before byte {at} is no UTF-8");
        }
    }

    private void Step(byte code)
    {
        switch (code)
        {
            case Pickle.Proto:
                if (Byte() is var version and > 5) throw new PickleException($"protocol {version} of pickle does not exist");
                break;
            case Pickle.Frame: Take(8); break;
            case Pickle.Mark: stack.Add(MarkObject); break;
            case Pickle.Pop: Pop(); break;
            case Pickle.PopMark: PopToMark(); break;
            case Pickle.None: stack.Add(null); break;
            case Pickle.NewTrue: stack.Add(true); break;
            case Pickle.NewFalse: stack.Add(false); break;
            case Pickle.BinInt: stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case Pickle.BinInt1: stack.Add((long)Byte()); break;
            case Pickle.BinInt2: stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case Pickle.Long1: stack.Add(Long(Take(Byte()))); break;
            case Pickle.BinFloat: stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case Pickle.BinUnicode: stack.Add(Utf8.GetString(Take(Length()))); break;
            case Pickle.ShortBinUnicode: stack.Add(Utf8.GetString(Take(Byte()))); break;
            case Pickle.BinString: stack.Add(Encoding.Latin1.GetString(Take(Length()))); break;
            case Pickle.ShortBinString: stack.Add(Encoding.Latin1.GetString(Take(Byte()))); break;
            case Pickle.BinBytes: stack.Add(Take(Length()).ToArray()); break;
            case Pickle.ShortBinBytes: stack.Add(Take(Byte()).ToArray()); break;
            case Pickle.EmptyList or Pickle.EmptySet: stack.Add(new List<object?>()); break;
            case Pickle.List: stack.Add(new List<object?>(PopToMark())); break;
            case Pickle.Append:
                {
                    var item = Pop();
                    Top<List<object?>>("a list").Add(item);
                    break;
                }
            case Pickle.Appends or Pickle.AddItems:
                {
                    var items = PopToMark();
                    Top<List<object?>>("a list").AddRange(items);
                    break;
                }
            case Pickle.EmptyTuple: stack.Add(Array.Empty<object?>()); break;
            case Pickle.Tuple: stack.Add(PopToMark()); break;
            case Pickle.Tuple1: stack.Add(PopLast(1)); break;
            case Pickle.Tuple2: stack.Add(PopLast(2)); break;
            case Pickle.Tuple3: stack.Add(PopLast(3)); break;
            case Pickle.EmptyDict: stack.Add(new StateDict()); break;
            case Pickle.Dict:
                {
                    var items = PopToMark();
                    stack.Add(new StateDict());
                    SetItems(items);
                    break;
                }
            case Pickle.SetItem: SetItems(PopLast(2)); break;
            case Pickle.SetItems: SetItems(PopToMark()); break;
            case Pickle.Global: stack.Add(Global(Line(), Line())); break;
            case Pickle.StackGlobal:
                {
                    var names = PopLast(2);
                    stack.Add(names is [string module, string name] ? Global(module, name) : throw new PickleException("a global's name is no text"));
                    break;
                }
            case Pickle.Reduce or Pickle.NewObj:
                {
                    var called = PopLast(2);
                    if (called is not [PickleGlobal { Call: { } call } function, object?[] arguments]) throw new PickleException($"{Name(called[0])} cannot be called");
                    stack.Add(Called(function.Name, call, arguments));
                    break;
                }
            case Pickle.Build:
                {
                    // What it sets are attributes of Python's objects, such as a state dictionary's _metadata; the values themselves are there already.
                    Pop();
                    if (stack.Count == 0 || stack[^1] is not (StateDict or Engine.Tensor)) throw new PickleException("attributes are set on what has none");
                    break;
                }
            case Pickle.BinPersId: stack.Add(persistent(Pop())); break;
            case Pickle.BinGet: stack.Add(Memo(Byte())); break;
            case Pickle.LongBinGet: stack.Add(Memo(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case Pickle.BinPut: memo[Byte()] = Peek(); break;
            case Pickle.LongBinPut: memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case Pickle.Memoize: memo[(uint)memo.Count] = Peek(); break;
            default: throw new PickleException($"opcode 0x{code:x2} at byte {at - 1} is none that a checkpoint uses");
        }
    }

    private static object? Called(string name, Func<object?[], object?> call, object?[] arguments)
    {
        try
        {
            return call(arguments);
        }
        catch (Exception e) when (e is InvalidCastException or IndexOutOfRangeException or OverflowException or NullReferenceException)
        {
            throw new PickleException($"{name} is called with arguments that it does not take");
        }
    }

    private object Global(string module, string name) => globals($"{module}.{name}") is { } known ? known.Value ?? (object)known
        : throw new PickleException($"the pickle asks for Python's '{Printable($"{module}.{name}")}', which is none of the names that a checkpoint may use; nothing was run");

    private void SetItems(object?[] items)
    {
        if (items.Length % 2 != 0) throw new PickleException("a dictionary's key has no value");
        var dictionary = Top<StateDict>("a dictionary");
        for (var i = 0; i < items.Length; i += 2)
        {
            if (items[i] is not (string or long)) throw new PickleException($"a dictionary's key is {StateDict.Kind(items[i])}; texts and whole numbers are read");
            dictionary[items[i]!] = items[i + 1];
        }
    }

    /// <summary>Values may be shared, and a few bytes can nest sharing so that going through them takes for ever; or a list may hold itself.</summary>
    private void CheckSize(object? value, int depth)
    {
        if (depth > MaxDepth) throw new PickleException($"values lie more than {MaxDepth} deep in one another, or in themselves");
        if (++visited > MaxValues) throw new PickleException($"there are more than {MaxValues} values");
        switch (value)
        {
            case StateDict dictionary:
                foreach (var (_, item) in dictionary) CheckSize(item, depth + 1);
                break;
            case IReadOnlyList<object?> list:
                foreach (var item in list) CheckSize(item, depth + 1);
                break;
            case PickleGlobal global:
                throw new PickleException($"{global.Name} is a value in itself, which is not read");
        }
    }

    private byte Byte() => Take(1)[0];

    private int Length() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) is var n and <= int.MaxValue ? (int)n : throw new PickleException("a text is longer than the file");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > bytes.Length - at) throw new PickleException($"the pickle is cut off at byte {bytes.Length}");
        at += count;
        return bytes.AsSpan(at - count, count);
    }

    private string Line()
    {
        var end = Array.IndexOf(bytes, (byte)'\n', at);
        if (end < 0 || end - at > 1000) throw new PickleException("a global's name does not end");
        return Encoding.Latin1.GetString(Take(end - at + 1)[..^1]);
    }

    private static long Long(ReadOnlySpan<byte> digits)
    {
        if (digits.Length > 8) throw new PickleException("a whole number has more than 64 bits");
        if (digits.Length == 0) return 0;
        Span<byte> wide = stackalloc byte[8];
        wide.Fill((byte)(digits[^1] >= 0x80 ? 0xff : 0));
        digits.CopyTo(wide);
        return BinaryPrimitives.ReadInt64LittleEndian(wide);
    }

    private object? Memo(uint index) => memo.TryGetValue(index, out var value) ? value : throw new PickleException($"nothing was remembered under {index}");

    private object? Peek() => stack.Count > 0 && !ReferenceEquals(stack[^1], MarkObject) ? stack[^1] : throw new PickleException($"the stack is empty at byte {at}");

    private object? Pop()
    {
        var value = Peek();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private object?[] PopLast(int count)
    {
        var values = new object?[count];
        for (var i = count - 1; i >= 0; i--) values[i] = Pop();
        return values;
    }

    private object?[] PopToMark()
    {
        var mark = stack.LastIndexOf(MarkObject);
        if (mark < 0) throw new PickleException($"there is no mark on the stack at byte {at}");
        var values = stack.GetRange(mark + 1, stack.Count - mark - 1).ToArray();
        stack.RemoveRange(mark, stack.Count - mark);
        return values;
    }

    private T Top<T>(string what)
        where T : class => stack.Count > 0 && stack[^1] is T value ? value : throw new PickleException($"something is put into {what} that is none, at byte {at}");

    private static string Name(object? value) => value is PickleGlobal global ? global.Name : StateDict.Kind(value);

    private static string Printable(string text) => string.Concat(text.Take(200).Select(c => c is >= ' ' and <= '~' ? c : '?'));
}
