module Verified.Engine.FSharp.DerivativeTests

open Verified.Engine
open Verified.Engine.FSharp
open Xunit

let private near (expected: float list) (actual: Tensor) =
    let values = Tensor.toArray actual
    Assert.Equal(expected.Length, values.Length)
    List.iteri (fun i (e: float) -> Assert.Equal(e, values[i], 4)) expected

type private Layer = { Weight: Tensor; Bias: Tensor; Name: string }

let private cube (x: Tensor) = Tensor.sum (x * x * x)

[<Fact>]
let ``grad f x as in the books`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    near [ 3.0; 12.0 ] (grad cube x)
    let value, gradient = valueAndGrad cube x
    near [ 9.0 ] value
    near [ 3.0; 12.0 ] gradient
    Assert.False(gradient.RequiresGrad)
    Assert.False(x.RequiresGrad)

[<Fact>]
let ``derivatives nest to any order`` () =
    let x = Tensor.scalar 2.0
    let f (x: Tensor) = x ** 4.0
    near [ 32.0 ] (grad f x)
    near [ 48.0 ] (grad (grad f) x)
    near [ 48.0 ] (grad (grad (grad f)) x)

[<Fact>]
let ``the argument of an inner derivative is not confused with that of an outer one`` () =
    // d/dx (x d/dy (x + y)) = 1, not 2.
    near [ 1.0 ] (grad (fun x -> x * grad (fun y -> x + y) (Tensor.scalar 1.0)) (Tensor.scalar 1.0))
    // d/dx (x d/dy (x y)) at x = 3 is 2x.
    near [ 6.0 ] (grad (fun x -> x * grad (fun y -> x * y) (Tensor.scalar 1.0)) (Tensor.scalar 3.0))

[<Fact>]
let ``the argument may be a tuple, a record, a list or an array of tensors, and so is the gradient`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    let a, b = grad (fun (a: Tensor, b: Tensor) -> Tensor.sum (a * a * b)) (x, Tensor.vector [ 3.0; 4.0 ])
    near [ 6.0; 16.0 ] a
    near [ 1.0; 4.0 ] b

    let layer = { Weight = Tensor.matrix [ [ 1.0; -1.0 ] ]; Bias = Tensor.vector [ 0.5 ]; Name = "first" }
    let loss (l: Layer) = x |> Tensor.linear l.Weight l.Bias |> Tensor.square |> Tensor.sum
    let g = grad loss layer
    near [ -1.0; -2.0 ] g.Weight
    near [ -1.0 ] g.Bias
    Assert.Equal("first", g.Name)

    let layers = grad (fun ls -> ls |> List.sumBy loss) [ layer; layer ]
    near [ -1.0; -2.0 ] layers[1].Weight
    let both = grad (fun (ts: Tensor[]) -> Tensor.sum (ts[0] * ts[1])) [| x; x + 1.0 |]
    near [ 2.0; 3.0 ] both[0]

[<Fact>]
let ``what is not used has the gradient zero, and indices too`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    let a, i, b = grad (fun (a: Tensor, i: Tensor, _: Tensor) -> Tensor.sum (Tensor.indexSelect 0 i a)) (x, Tensor.ints [ 1; 1 ], x)
    near [ 0.0; 2.0 ] a
    near [ 0.0; 0.0 ] i
    near [ 0.0; 0.0 ] b
    near [ 0.0; 0.0 ] (grad (fun (_: Tensor) -> Tensor.scalar 1.0) x)

[<Fact>]
let ``vjp and jvp`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    let f (x: Tensor) = x * x, Tensor.sum x
    let (square, total), pull = vjp f x
    near [ 1.0; 4.0 ] square
    near [ 3.0 ] total
    near [ 7.0; 9.0 ] (pull (Tensor.vector [ 1.0; 1.0 ], Tensor.scalar 5.0))
    near [ 2.0; 4.0 ] (pull (Tensor.vector [ 1.0; 1.0 ], Tensor.scalar 0.0))
    let _, (dSquare, dTotal) = jvp f x (Tensor.vector [ 1.0; 10.0 ])
    near [ 2.0; 40.0 ] dSquare
    near [ 11.0 ] dTotal

[<Fact>]
let ``jacobian, hessian and hvp agree`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    let f (x: Tensor) = Tensor.sum (x * x * x) + x[0] * x[1]
    near [ 2.0; 0.0; 0.0; 4.0 ] (jacobian (fun x -> x * x) x)
    let h = hessian f x
    near [ 6.0; 1.0; 1.0; 12.0 ] h
    let v = Tensor.vector [ 1.0; -1.0 ]
    near (List.ofArray (Tensor.toArray (h |> Tensor.mv v))) (hvp f x v)

[<Fact>]
let ``a derivative at a point with a history is part of that history`` () =
    let w = Tensor.scalar 3.0 |> Tensor.requiresGrad
    let penalty = grad (fun x -> x * x * x) (w * 2.0)
    Tensor.backward penalty
    // penalty = 3 (2w)^2, its derivative 24 w
    near [ 72.0 ] (Tensor.grad w).Value

[<Fact>]
let ``a function of more than one element has no gradient, and the message says so`` () =
    let error = Assert.Throws<System.ArgumentException>(fun () -> grad (fun x -> x * x) (Tensor.vector [ 1.0; 2.0 ]) |> ignore)
    Assert.Contains("[2]", error.Message)

[<Fact>]
let ``derivatives nest across the faces and across tasks`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    let first (f: (Tensor -> Tensor) -> Tensor -> Tensor) (x: Tensor) = Tensor.sum (f cube x)
    let ours = first grad
    let theirs = first (fun f x -> Functional.Grad(f, x))
    let inTask = first (fun f x -> System.Threading.Tasks.Task.Run(fun () -> Functional.Grad(f, x)).Result)
    let ofOurs = first (fun f x -> System.Threading.Tasks.Task.Run(fun () -> grad f x).Result)

    for inner in [ ours; theirs; inTask; ofOurs ] do
        near [ 6.0; 12.0 ] (grad inner x)
        near [ 6.0; 12.0 ] (Functional.Grad(inner, x))

[<Fact>]
let ``a derivative is recorded whatever the mode around it`` () =
    use _ = Autograd.InferenceMode()
    near [ 3.0; 12.0 ] (grad cube (Tensor.vector [ 1.0; 2.0 ]))
    near [ 6.0; 12.0 ] (hvp cube (Tensor.vector [ 1.0; 2.0 ]) (Tensor.ones [ 2 ]))

type private Shape =
    | Circle of radius: Tensor
    | Box of sides: Tensor * Tensor

type private Holder(x: Tensor) =
    member _.X = x

[<Fact>]
let ``options, unions and long lists are looked into`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    near [ 3.0; 12.0 ] (grad (Option.get >> cube) (Some x)).Value
    Assert.Equal(None, grad (fun (_: Tensor option) -> Tensor.scalar 1.0) None)

    match grad (fun s -> match s with Box(a, b) -> Tensor.sum (a * b) | Circle r -> Tensor.sum r) (Box(x, x + 1.0)) with
    | Box(a, b) ->
        near [ 2.0; 3.0 ] a
        near [ 1.0; 2.0 ] b
    | Circle _ -> Assert.Fail "another case"

    let many = List.replicate 100_000 (Tensor.scalar 2.0)
    let g = grad (fun (xs: Tensor list) -> xs[0] * xs[1]) many
    Assert.Equal(100_000, g.Length)
    near [ 2.0 ] g[1]

[<Fact>]
let ``tensors that would not be found are an error, and what holds none stays`` () =
    let x = Tensor.scalar 1.0
    let refused value = Assert.Throws<System.ArgumentException>(fun () -> Structure.tensors value |> ignore) |> ignore
    refused (Map.ofList [ "a", x ])
    refused (ResizeArray [ x ])
    refused (Array2D.create 1 1 x)
    refused (Holder x)
    refused (x, Holder x)
    let kept = (1, "a", System.Random(), [ 1.5 ], tanh<Tensor>, Map.ofList [ 1, 2 ])
    Assert.Empty(Structure.tensors kept)

[<Fact>]
let ``gradients and directions of another structure or shape are refused, integers among the values are not`` () =
    let x = Tensor.vector [ 1.0; 2.0 ]
    let error f = (Assert.Throws<AutogradException>(fun () -> f () |> ignore)).Kind
    let _, pull = vjp (fun (xs: Tensor list) -> xs) [ x; x ]
    Assert.Equal(ErrorKind.GradientShape, error (fun () -> pull [ x ]))
    Assert.Equal(ErrorKind.GradientShape, error (fun () -> pull [ x; Tensor.scalar 1.0 ]))
    Assert.Equal(ErrorKind.GradientShape, error (fun () -> jvp id [ x; x ] [ x ]))
    let _, (d, i) = jvp (fun x -> x * x, Tensor.arange 3) x (Tensor.ones [ 2 ])
    near [ 2.0; 4.0 ] d
    near [ 0.0; 0.0; 0.0 ] i

[<Fact>]
let ``noGrad does not record`` () =
    let x = Tensor.scalar 1.0 |> Tensor.requiresGrad
    Assert.False((noGrad (fun () -> x * 2.0)).RequiresGrad)
    Assert.True((x * 2.0).RequiresGrad)
