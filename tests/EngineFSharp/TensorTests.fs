module Verified.Engine.FSharp.TensorTests

open System
open System.Reflection
open Verified.Engine
open Verified.Engine.FSharp
open Xunit

[<Fact>]
let ``detach cuts the history and shares the memory`` () =
    let x = Tensor.Create([| 1.0f; 2.0f |], requiresGrad = true)
    let y = x * x
    let c = Tensor.detach y
    Assert.False c.RequiresGrad
    c.ZeroInPlace() |> ignore
    Assert.Equal(0.0, y.Sum().Item())

[<Fact>]
let ``functions stand in pipelines, the tensor last`` () =
    let x = Tensor.matrix [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]
    let y = x |> Tensor.sub (Tensor.scalar 1.0) |> Tensor.matmul (Tensor.t x) |> Tensor.sumOf [ 0 ]
    Assert.Equal<float list>([ 10.0; 22.0 ], List.ofArray (Tensor.toArray y))
    Assert.Equal<int list>([ 2 ], Tensor.shape y)
    Assert.Equal(0.5, Tensor.vector [ 1.0; 2.0 ] |> Tensor.div (Tensor.vector [ 2.0; 4.0 ]) |> Tensor.mean |> Tensor.item)

[<Fact>]
let ``the operators and functions of F# work on tensors`` () =
    let x = Tensor.vector [ 0.5; 1.5 ]
    let y = exp x + log x * sqrt x - tanh x / abs x + x ** 2.0 + 2.0 * sin x - cos x + floor x - -x
    let f x = exp x + log x * sqrt x - tanh x / abs x + x ** 2.0 + 2.0 * sin x - cos x + floor x - -x
    Array.iter2 (fun (expected: float) actual -> Assert.Equal(expected, actual, 5)) [| f 0.5; f 1.5 |] (Tensor.toArray y)
    Assert.Equal(4.0, [ x; x ] |> List.sum |> Tensor.sum |> Tensor.item)

/// Every method of the engine's tensor has its function here, so that a new operator is not forgotten.
[<Fact>]
let ``every operator of the engine has its function in the module`` () =
    let functions =
        Assembly.Load("Verified.Engine.FSharp").GetTypes()
        |> Array.filter (fun t -> t.Name = "Tensor")
        |> Array.collect _.GetMethods(BindingFlags.Public ||| BindingFlags.Static)
        |> Array.map _.Name.ToLowerInvariant()
        |> set

    // What has another name here, and what is for the imperative face.
    let elsewhere =
        set [ "GetItem"; "To"; "ToString"; "Equals"; "GetType"; "GetHashCode"; "Size"; "SharesMemoryWith"; "RegisterHook"; "RegisterPostAccumulateGradHook"
              "RetainGrad"; "ZeroGrad"; "ToDoubles"; "ToFloats"; "ToLongs"; "ToBools" ]

    let missing =
        typeof<Tensor>.GetMethods(BindingFlags.Public ||| BindingFlags.Instance)
        |> Array.filter (fun m -> not m.IsSpecialName && not (m.Name.EndsWith "InPlace") && not (elsewhere.Contains m.Name))
        |> Array.map _.Name
        |> Array.distinct
        |> Array.filter (fun name -> not (functions.Contains(name.ToLowerInvariant())))

    Assert.Empty missing

[<Fact>]
let ``slices are views`` () =
    let x = Tensor.arange 12 |> Tensor.view [ 3; 4 ]
    let longs (t: Tensor) = List.ofArray (t.ToLongs())
    Assert.Equal<int64 list>([ 4L; 8L ], longs x[1.., 0])
    Assert.Equal<int64 list>([ 2L; 6L; 10L ], longs x[*, 2])
    Assert.Equal<int64 list>([ 4L; 5L; 6L; 7L ], longs x[1])
    Assert.Equal<int64 list>([ 1L; 2L; 5L; 6L ], longs x[..1, 1..2])
    Assert.Equal<int64 list>([ 8L; 9L; 10L; 11L ], longs x[2..])
    Assert.Equal<int64 list>([ 5L; 6L ], longs x[1, 1..2])
    let one: Tensor = x[1]
    Assert.Equal(6.0, one[2].Item())
    let cube = Tensor.arange 24 |> Tensor.view [ 2; 3; 4 ]
    Assert.Equal<int64 list>([ 12L; 16L; 20L ], longs cube[1, *, 0])
    Assert.Equal<int list>([ 2; 2; 2 ], Tensor.shape cube[*, 1.., ..1])
    Assert.True(x[*, 2].SharesMemoryWith x)

[<Fact>]
let ``a slice can be assigned to, and the gradient knows`` () =
    let x = Tensor.ones [ 2; 3 ] |> Tensor.requiresGrad
    let v = Tensor.vector [ 5.0; 6.0 ] |> Tensor.requiresGrad
    let y = x * 2.0
    y[*, 0] <- v
    y[1, 1..] <- Tensor.scalar 0.0
    Assert.Equal("tensor([[5., 2., 2.],\n        [6., 0., 0.]], grad_fn=<CopySlices>)", y.ToString())
    Tensor.backward (y.Sum())
    Assert.Equal<float[]>([| 0.0; 2.0; 2.0; 0.0; 0.0; 0.0 |], Tensor.toArray (Tensor.grad x).Value)
    Assert.Equal<float[]>([| 1.0; 1.0 |], Tensor.toArray (Tensor.grad v).Value)

[<Fact>]
let ``%A prints a tensor as PyTorch does`` () =
    let x = Tensor.ones [ 2; 2 ] |> Tensor.requiresGrad
    let y = x + 2.0
    let z = y * y * 3.0
    Assert.Equal("tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>)", sprintf "%A" z)
    Assert.Equal("tensor(27., grad_fn=<MeanBackward0>)", sprintf "%O" (Tensor.mean z))
