namespace Verified.Engine.FSharp

open System
open System.Threading
open Verified.Engine

/// How deep this flow of control is in differentiated functions: inside another, a derivative is itself differentiable.
type internal Depth() =
    static let depth = AsyncLocal<int>()

    static member IsNested = depth.Value > 0

    static member Inside(f: unit -> 'T) : 'T =
        depth.Value <- depth.Value + 1

        try
            f ()
        finally
            depth.Value <- depth.Value - 1

/// Derivatives of functions, as in the books: `grad f x`. The argument is a tensor, or a tuple, record, list or array of tensors (see `Structure`), and so
/// is the derivative. They nest: `grad (grad f >> Tensor.sum) x`. Nothing accumulates in any `Grad`; the results have no history unless the
/// differentiation stands inside another, or its point requires a gradient.
[<AutoOpen>]
module Derivatives =
    // The function at a point of its own, recorded; and the tensors of that point which can have a derivative.
    let private at (f: 'P -> 'R) (point: 'P) =
        let joined = Depth.IsNested || Structure.tensors point |> List.exists _.RequiresGrad

        let fresh (x: Tensor) =
            if not (x.DType.IsFloat()) then x
            elif joined && x.RequiresGrad then x.View(x.Shape.ToArray())
            else x.Detach().RequiresGradInPlace()

        let own = Structure.map fresh point
        use _ = Autograd.EnableGrad()
        joined, own, Depth.Inside(fun () -> f own)

    let private floats (point: 'P) =
        Structure.tensors point |> List.filter _.DType.IsFloat()

    // Gradients of outputs by the tensors of a point; zeros where no path leads, and for what is no float.
    let private pull joined (outputs: Tensor list) (gradients: Tensor list) (point: 'P) : 'P =
        let inputs = floats point

        let found =
            match List.zip outputs gradients |> List.filter (fun (y, _) -> y.RequiresGrad) with
            | reached when reached.IsEmpty || inputs.IsEmpty -> inputs |> List.map (fun _ -> None)
            | reached ->
                use _ = Autograd.EnableGrad()
                let outputs, gradients = List.unzip reached

                Functional.Pull(List.toArray outputs, List.toArray gradients, List.toArray inputs, joined)
                |> Seq.map Option.ofObj
                |> List.ofSeq

        let byInput = List.zip inputs found

        point
        |> Structure.map (fun x ->
            match byInput |> List.tryFind (fun (input, _) -> Object.ReferenceEquals(input, x)) with
            | Some(_, Some g) -> g
            | _ -> Tensor.zerosLike x)

    let private plain joined (value: 'R) =
        if joined then value else Structure.map _.Detach() value

    let private scalar (y: Tensor) =
        if y.Count <> 1 then
            invalidArg
                "f"
                $"the function to differentiate must give one element, but gives a tensor of shape {Tensor.shape y}; see vjp and jacobian"

        Tensor.onesLike y

    /// The value of a function of one element, and its gradient.
    let valueAndGrad (f: 'P -> Tensor) (x: 'P) : Tensor * 'P =
        let joined, own, y = at f x
        plain joined y, pull joined [ y ] [ scalar y ] own

    /// The gradient of a function of one element.
    let grad (f: 'P -> Tensor) (x: 'P) : 'P = valueAndGrad f x |> snd

    /// The value of a function, and the function that pulls a gradient of the value back to the argument, as often as wanted.
    let vjp (f: 'P -> 'R) (x: 'P) : 'R * ('R -> 'P) =
        let joined, own, y = at f x
        plain joined y, (fun v -> pull joined (Structure.tensors y) (Structure.tensors v) own)

    /// The value of a function, and its derivative in the direction `v`: the Jacobian times `v`.
    let jvp (f: 'P -> 'R) (x: 'P) (v: 'P) : 'R * 'R =
        let joined, own, y = at f x
        let outputs = Structure.tensors y
        // The pull-back is linear in the gradient; its own derivative by that, times v, is the derivative of f in direction v.
        let seeds =
            outputs |> List.map (fun o -> (Tensor.zerosLike o).RequiresGradInPlace())

        let pulled = pull true outputs seeds own |> floats
        let directions = floats v

        for p, d in List.zip pulled directions do
            if Tensor.shape p <> Tensor.shape d then
                invalidArg "v" $"the direction has the shape {Tensor.shape d}, but the argument has {Tensor.shape p}"

        plain joined y, Structure.rebuild y (pull joined pulled directions seeds)

    /// The Jacobian of a function of a tensor, of the value's shape followed by the argument's.
    let jacobian (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        Functional.Jacobian((fun p -> Depth.Inside(fun () -> f p)), x, Depth.IsNested || x.RequiresGrad)

    /// The second derivatives of a function of one element, of the argument's shape twice over.
    let hessian (f: Tensor -> Tensor) (x: Tensor) : Tensor = jacobian (grad f) x

    /// The second derivatives of a function of one element times `v`, without making the matrix.
    let hvp (f: 'P -> Tensor) (x: 'P) (v: 'P) : 'P = snd (vjp (grad f) x) v

    /// What a function gives without recording it.
    let noGrad (f: unit -> 'T) : 'T =
        use _ = Autograd.NoGrad()
        f ()
