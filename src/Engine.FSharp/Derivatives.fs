namespace Verified.Engine.FSharp

open System
open Verified.Engine

/// Derivatives of functions, as in the books: `grad f x`. The argument is a tensor, or a tuple, record, list or array of tensors (see `Structure`), and so
/// is the derivative. They nest: `grad (grad f >> Tensor.sum) x`. Nothing accumulates in any `Grad`; the results have no history unless the
/// differentiation stands inside another, or its point requires a gradient.
[<AutoOpen>]
module Derivatives =
    // A derivative at a point with a history is part of that history; otherwise the engine knows whether this stands inside another derivative.
    let private createGraph (point: Tensor list) =
        if point |> List.exists _.RequiresGrad then
            Nullable true
        else
            Nullable()

    // The function run at the point, with its value.
    let private run (f: 'P -> 'R) (x: 'P) =
        let point = Structure.tensors x
        let result = ref Unchecked.defaultof<'R>

        let record (own: Tensor[]) =
            result.Value <- f (Structure.rebuild x own)
            List.toArray (Structure.tensors result.Value)

        let differentiation = Differentiation(record, List.toArray point, createGraph point)

        differentiation, Structure.rebuild result.Value differentiation.Values

    let private pull (d: Differentiation) (x: 'P) (gradients: Tensor list) : 'P =
        Structure.rebuild x (d.Pull(List.toArray gradients))

    let private one (y: Tensor) =
        if y.Count <> 1 then
            invalidArg
                "f"
                $"the function to differentiate must give one element, but gives a tensor of shape {Tensor.shape y}; see vjp and jacobian"

        Tensor.onesLike y

    /// The value of a function of one element, and its gradient.
    let valueAndGrad (f: 'P -> Tensor) (x: 'P) : Tensor * 'P =
        let d, y = run f x
        y, pull d x [ one y ]

    /// The gradient of a function of one element.
    let grad (f: 'P -> Tensor) (x: 'P) : 'P = valueAndGrad f x |> snd

    /// The value of a function, and the function that pulls a gradient of the value back to the argument, as often as wanted.
    let vjp (f: 'P -> 'R) (x: 'P) : 'R * ('R -> 'P) =
        let d, y = run f x
        y, Structure.tensors >> pull d x

    /// The value of a function, and its derivative in the direction `v`: the Jacobian times `v`.
    let jvp (f: 'P -> 'R) (x: 'P) (v: 'P) : 'R * 'R =
        let d, y = run f x
        y, Structure.rebuild y (d.Push(List.toArray (Structure.tensors v)))

    /// The Jacobian of a function of a tensor, of the value's shape followed by the argument's.
    let jacobian (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        Functional.Jacobian(f, x, createGraph [ x ])

    /// The second derivatives of a function of one element, of the argument's shape twice over.
    let hessian (f: Tensor -> Tensor) (x: Tensor) : Tensor = jacobian (grad f) x

    /// The second derivatives of a function of one element times `v`, without making the matrix.
    let hvp (f: 'P -> Tensor) (x: 'P) (v: 'P) : 'P = snd (vjp (grad f) x) v

    /// What a function gives without recording it.
    let noGrad (f: unit -> 'T) : 'T =
        use _ = Autograd.NoGrad()
        f ()
