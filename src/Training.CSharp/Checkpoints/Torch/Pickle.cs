namespace Verified.Training;

/// <summary>The opcodes of Python's pickle that state dictionaries use.</summary>
/// <remarks>Source: pickletools.py of CPython.</remarks>
internal static class Pickle
{
    public const byte Mark = (byte)'(', Stop = (byte)'.', Pop = (byte)'0', PopMark = (byte)'1', None = (byte)'N';
    public const byte BinInt = (byte)'J', BinInt1 = (byte)'K', BinInt2 = (byte)'M', Long1 = 0x8a, BinFloat = (byte)'G', NewTrue = 0x88, NewFalse = 0x89;
    public const byte BinUnicode = (byte)'X', ShortBinUnicode = 0x8c, BinString = (byte)'T', ShortBinString = (byte)'U', BinBytes = (byte)'B', ShortBinBytes = (byte)'C';
    public const byte EmptyList = (byte)']', Append = (byte)'a', Appends = (byte)'e', List = (byte)'l';
    public const byte EmptyTuple = (byte)')', Tuple = (byte)'t', Tuple1 = 0x85, Tuple2 = 0x86, Tuple3 = 0x87;
    public const byte EmptyDict = (byte)'}', Dict = (byte)'d', SetItem = (byte)'s', SetItems = (byte)'u', EmptySet = 0x8f, AddItems = 0x90;
    public const byte Global = (byte)'c', StackGlobal = 0x93, Reduce = (byte)'R', NewObj = 0x81, Build = (byte)'b', BinPersId = (byte)'Q';
    public const byte BinGet = (byte)'h', LongBinGet = (byte)'j', BinPut = (byte)'q', LongBinPut = (byte)'r', Memoize = 0x94, Proto = 0x80, Frame = 0x95;
}

/// <summary>A pickle asks for something that is refused, or is no pickle.</summary>
internal sealed class PickleException(string message) : Exception(message);

/// <summary>A name of Python's that a pickle may use. What it does when it is called stands here, in C#; nothing of Python is run.</summary>
/// <param name="Name">Module and name.</param>
/// <param name="Call">From the arguments to the value; null for what cannot be called.</param>
/// <param name="Value">What it is where it is a value itself; null where it is none.</param>
internal sealed record PickleGlobal(string Name, Func<object?[], object?>? Call, string? Value = null);
