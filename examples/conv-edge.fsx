// A convolution learns the kernel that finds edges, from an image and its edges alone. Run it with
//     examples/build && dotnet fsi examples/conv-edge.fsx
#load "training.fsx"

open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

takes []

Rng.ManualSeed 0L |> ignore

// A white image with a black band, and where its columns change.
let image = Tensor.ones [ 1; 1; 6; 8 ]
image.Narrow(3, 2, 4).ZeroInPlace() |> ignore
let edges = image.Conv2d(Tensor.ofArray [ 1; 1; 1; 2 ] [| 1.0f; -1.0f |])

let conv = Conv2d(1, 1, kernelSize = Size2D(1, 2), bias = false)

for i in 1..10 do
    let loss = (conv.Forward image - edges).Square().Sum()
    conv.ZeroGrad()
    loss.Backward()

    noGrad (fun () -> conv.Weight.SubInPlace(conv.Weight.Grad, alpha = 3e-2))
    |> ignore

    if i % 2 = 0 then
        printfn $"epoch {i}, loss {loss.Item():f3}"

let kernel = conv.Weight.Detach().Reshape [| 2 |]
printfn $"kernel: {kernel}"
let error = (kernel - Tensor.vector [ 1.0; -1.0 ]).Abs().Max().Item()
conclude (error < 0.1) $"the kernel within 0.1 of [1, -1]: the largest error is {error:f4}"
