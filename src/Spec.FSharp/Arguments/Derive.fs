namespace Verified.Spec

/// What derivative rules share.
[<RequireQualifiedAccess>]
module Derive =
    /// An operator with one result applied to tensors, all of them there.
    let apply op (args: Term list) attrs : Term = (List.head args).Calculus.Apply(op, List.map Some args, attrs) |> List.head

    /// The same where some arguments may be missing; one must be there.
    let applyTo op (args: Term option list) attrs : Term = (List.pick id args).Calculus.Apply(op, args, attrs) |> List.head

    let sizeAttr (shape: int[]) = shape |> Array.map (int64 >> Attr.Integer) |> Array.toList |> Attr.Items

    let dimsAttr (dims: int seq) = dims |> Seq.map (int64 >> Attr.Integer) |> Seq.toList |> Attr.Items

    /// A number for rows and one for columns.
    let pairAttr (rows, columns) = dimsAttr [ rows; columns ]

    let integerAttr (n: int) = Attr.Integer(int64 n)

    /// Marks a call whose number is one that the program gave: it is kept, as the operator has kept it.
    [<Literal>]
    let ofTheProgram = "of_the_program"

    /// Marks a call that PyTorch makes in place on a result of its own, in whose memory order it stays.
    [<Literal>]
    let inPlace = "in_place"

    /// Compared with a number: `compared "gt" x 0.0`.
    let compared op (x: Term) (c: float) = apply op [ x ] [ "other", Attr.Float c ]

    /// g where the condition holds, else 0.
    let whereElseZero (condition: Term) (g: Term) = apply "where" [ condition; g ] [ "other", Attr.Float 0.0 ]

    /// 0 where the condition holds, else g.
    let zeroWhere (condition: Term) (g: Term) = apply "where" [ condition; g ] [ "self", Attr.Float 0.0 ]

    /// Summed over broadcast dimensions to a shape; what cannot have been broadcast from there is left for the pass to refuse.
    let sumTo (shape: int[]) (g: Term) =
        if g.Shape = shape || not (Broadcast.reaches shape g.Shape) then
            g
        else
            apply "sum_to" [ g ] [ "size", sizeAttr shape ]

    /// In another dtype.
    let cast (dtype: DType) (g: Term) =
        if g.DType = dtype then
            g
        else
            apply "to" [ g ] [ "dtype", Attr.Text dtype.Name ]

    /// A gradient of input i in its dtype. What broadcasting repeated is summed, and then cast, where it is delivered: by the shape that the node
    /// behind the input had, which may have been given another one since.
    let fit (d: IDerivation) i (g: Term) = if g.Shape = d.ShapeOf i then cast (d.DTypeOf i) g else g

    /// The gradient of input i, computed only if it is needed, and in its dtype.
    let wanted (d: IDerivation) i (gradient: unit -> Term) = if d.Needs i then Some(fit d i (gradient ())) else None

    let private ruleBy evaluate (gradients: IDerivation -> Term -> (unit -> Term) option list) : Rule =
        fun d ->
            match d.Gradient 0 with
            | None -> List.replicate d.Inputs None
            | Some g ->
                let found = gradients d g |> List.indexed |> evaluate (fun (i, gradient) -> gradient |> Option.bind (wanted d i))
                found @ List.replicate (max 0 (d.Inputs - found.Length)) None

    /// The rule of an operator with one output: nothing where no gradient arrives; a gradient for each of its inputs, fitted.
    let rule gradients : Rule = ruleBy List.map gradients

    /// The same, that of the last input first: PyTorch goes by its names for the inputs, and `other` comes before `self`. What is made later
    /// runs earlier when it is gone back over.
    let ruleFromLast gradients : Rule =
        let evaluateBack evaluate gradients = List.foldBack (fun gradient found -> evaluate gradient :: found) gradients []
        ruleBy evaluateBack gradients

    /// The rule of a linear operator of one input whose transpose is an operator of its own: it is told the input's size, and the attributes.
    let byTranspose name : Rule =
        rule (fun d g -> [ Some(fun () -> apply name [ g ] (("input_size", sizeAttr (d.ShapeOf 0)) :: Map.toList d.Attrs)) ])
