namespace Verified.Engine.FSharp

open System
open Microsoft.FSharp.Reflection
open Verified.Engine

/// Values that hold tensors: a tensor, a tuple, a record, an array or a list of such. What is no tensor in them stays as it is.
[<RequireQualifiedAccess>]
module Structure =
    let private isList (t: Type) =
        t.IsGenericType && t.GetGenericTypeDefinition() = typedefof<_ list>

    // Gives each tensor in a value to a function and puts its answers in their places.
    let rec private visit (f: Tensor -> Tensor) (t: Type) (value: objnull) : objnull =
        let inside (types: Type[]) (values: objnull[]) = Array.map2 (visit f) types values

        match value with
        | null -> null
        | :? Tensor as tensor -> f tensor
        | tuple when FSharpType.IsTuple t ->
            FSharpValue.MakeTuple(inside (FSharpType.GetTupleElements t) (FSharpValue.GetTupleFields tuple), t)
        | record when FSharpType.IsRecord(t, true) ->
            let types = FSharpType.GetRecordFields(t, true) |> Array.map _.PropertyType
            FSharpValue.MakeRecord(t, inside types (FSharpValue.GetRecordFields(record, true)), true)
        | :? Array as items when items.Rank = 1 ->
            let copy = items.Clone() :?> Array
            let element = Option.ofObj (t.GetElementType()) |> Option.defaultValue typeof<obj>

            for i in 0 .. items.Length - 1 do
                copy.SetValue(visit f element (items.GetValue i), i)

            copy
        | list when isList t ->
            let case, fields = FSharpValue.GetUnionFields(list, t)

            match fields with
            | [| head; tail |] -> FSharpValue.MakeUnion(case, [| visit f t.GenericTypeArguments[0] head; visit f t tail |])
            | _ -> list
        | other -> other

    /// The value with a function applied to each of its tensors, in order.
    let map (f: Tensor -> Tensor) (value: 'T) : 'T =
        visit f typeof<'T> (box value) |> Unchecked.unbox

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
