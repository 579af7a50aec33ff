namespace Verified.Engine.FSharp

open System
open System.Collections
open System.Collections.Concurrent
open System.Reflection
open Microsoft.FSharp.Reflection
open Verified.Engine

/// Values that hold tensors: a tensor, a tuple, a record, a case of a union, an option, an array or a list of such. What can hold no tensor stays as it is;
/// anything else that can, such as a map or a class with a tensor in it, is an error, since its tensors would not be seen.
[<RequireQualifiedAccess>]
module Structure =
    let private all =
        BindingFlags.Instance ||| BindingFlags.Public ||| BindingFlags.NonPublic

    // Whether values of a type can hold a tensor. Functions hold what they like: they are not looked into.
    let rec private holds (seen: Type list) (t: Type) : bool =
        if t = typeof<Tensor> then
            true
        elif
            t.IsPrimitive
            || t.IsEnum
            || t = typeof<string>
            || List.contains t seen
            || typeof<Delegate>.IsAssignableFrom t
            || FSharpType.IsFunction t
        then
            false
        else
            let seen = t :: seen
            let inside = holds seen

            let isSystem =
                match t.Namespace with
                | null -> false
                | name -> name.StartsWith("System", StringComparison.Ordinal)

            (t.HasElementType && inside (nonNull (t.GetElementType())))
            || t.GetGenericArguments() |> Array.exists inside
            || (not isSystem
                && t.GetFields all |> Array.exists (fun field -> inside field.FieldType))
            || (match t.BaseType with
                | null -> false
                | parent -> inside parent)

    let private known = ConcurrentDictionary<Type, bool>()

    let private isList (t: Type) =
        t.IsGenericType && t.GetGenericTypeDefinition() = typedefof<_ list>

    // Gives each tensor in a value to a function and puts its answers in their places.
    let rec private visit (f: Tensor -> Tensor) (value: objnull) : objnull =
        match value with
        | null -> null
        | :? Tensor as tensor -> f tensor
        | value ->
            match value.GetType() with
            | t when FSharpType.IsTuple t -> FSharpValue.MakeTuple(Array.map (visit f) (FSharpValue.GetTupleFields value), t)
            | t when FSharpType.IsRecord(t, true) ->
                FSharpValue.MakeRecord(t, Array.map (visit f) (FSharpValue.GetRecordFields(value, true)), true)
            | t when t.IsArray && t.GetArrayRank() = 1 ->
                let copy = (value :?> Array).Clone() :?> Array

                for i in 0 .. copy.Length - 1 do
                    copy.SetValue(visit f (copy.GetValue i), i)

                copy
            // A list is a union too, but as deep as it is long.
            | t when isList t ->
                let cases = FSharpType.GetUnionCases t
                let cons = FSharpValue.PreComputeUnionConstructor cases[1]
                let items = [| for item in (value :?> IEnumerable) -> visit f item |]
                Array.foldBack (fun item rest -> cons [| item; rest |]) items (FSharpValue.MakeUnion(cases[0], [||]))
            | t when FSharpType.IsUnion(t, true) ->
                let case, fields = FSharpValue.GetUnionFields(value, t, true)
                FSharpValue.MakeUnion(case, Array.map (visit f) fields, true)
            | t when known.GetOrAdd(t, holds []) ->
                invalidArg
                    "value"
                    $"the tensors in a {t.Name} cannot be found: use a tensor, a tuple, a record, a union, an option, an array or a list"
            | _ -> value

    /// The value with a function applied to each of its tensors, in order.
    let map (f: Tensor -> Tensor) (value: 'T) : 'T = visit f (box value) |> Unchecked.unbox

    /// The tensors in a value, in order.
    let tensors (value: 'T) : Tensor list =
        let found = ResizeArray()

        map
            (fun t ->
                found.Add t
                t)
            value
        |> ignore

        List.ofSeq found

    /// The value with other tensors in the places of its own.
    let rebuild (value: 'T) (others: seq<Tensor>) : 'T =
        use next = others.GetEnumerator()

        map
            (fun _ ->
                next.MoveNext() |> ignore
                next.Current)
            value
