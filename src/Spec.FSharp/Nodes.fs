namespace Verified.Spec

/// The names of nodes as PyTorch's messages print them: the number tells apart the overloads of a function, in the order of
/// tools/autograd/derivatives.yaml.
[<RequireQualifiedAccess>]
module Nodes =
    let private overload (op: Operator) (inputs: int) (attrs: Attrs) inPlace =
        let has name = (Read.optional attrs name).IsSome

        match op.Name with
        | "clamp" -> if inputs = 1 then 1 else 0
        | "fill" -> if inputs = 1 then 2 else 3
        | "lerp" -> if inputs = 3 then 1 else 0
        | "masked_fill" -> if inputs = 3 then 1 else 0
        | "pow" ->
            if has "self" then 2
            elif inputs = 2 then 1
            else 0
        | "max"
        | "min" -> if has "dim" then 0 else 1
        | "sum"
        | "mean"
        | "prod" -> if has "dim" then 1 else 0
        | "t" -> if inPlace then 1 else 0
        | _ -> 0

    /// The name of the node of a call.
    let name (op: Operator) (inputs: int) (attrs: Attrs) inPlace =
        match op.Name with
        | "copy" -> "torch::autograd::CopyBackwards"
        | "reshape"
        | "flatten" -> "ViewBackward0"
        | "narrow" -> "SliceBackward0"
        | "chunk" -> "SplitBackward0"
        | "norm" -> "LinalgVectorNormBackward0"
        | "getitem" ->
            // A chain of views, of which the last one is seen.
            match Read.optional attrs "index" with
            | Some(Attr.Items items) ->
                match List.tryFindBack (fun item -> item <> Attr.Null) items with
                | Some(Attr.Integer _) -> "SelectBackward0"
                | Some _ -> "SliceBackward0"
                | None -> "AliasBackward0"
            | _ -> "SelectBackward0"
        | _ -> $"{op.Node}Backward{overload op inputs attrs inPlace}"
