// Softmax regression on Fashion-MNIST, first from scratch, then with the library's parts; one epoch function serves both. Run it with
//     examples/build && dotnet fsi examples/softmax-fashion.fsx [--small] [--data FOLDER] [--resume]
#load "training.fsx"

open System.IO
open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

takes [ "--small"; "--data FOLDER"; "--resume" ]

let batchSize, learningRate = 256, 0.1

let trainSet, testSet =
    data
        "softmax-fashion"
        (fun folder ->
            printfn $"Fashion-MNIST from {folder}."
            FashionMnist.Load(folder, train = true), FashionMnist.Load(folder, train = false))
        (fun () ->
            printfn "Generated images of Fashion-MNIST's shape. The real ones: the four .gz files of"

            printfn
                "https://github.com/zalandoresearch/fashion-mnist, folder data/fashion; then --data FOLDER, or the files in data/softmax-fashion."

            Generated.FashionLike((if small then 6000 else 60_000), 1L), Generated.FashionLike((if small then 1000 else 10_000), 2L))

Rng.ManualSeed 0L |> ignore
let trainLoader = DataLoader(trainSet, batchSize, shuffle = true)
let testLoader = DataLoader(testSet, batchSize)

/// How parameters are changed: by the library's optimizer, or by a function of the batch's size.
type Updater =
    | Library of Optimizer
    | ByHand of (int -> unit)

let correct (scores: Tensor) (labels: Tensor) =
    scores.Argmax(1).Eq(labels).Sum().Item()

let evaluateAccuracy net =
    noGrad (fun () ->
        let sums = Accumulator 2

        for batch in testLoader do
            sums.Add(correct (net batch.Input) batch.Target, float batch.Count)

        sums[0] / sums[1])

/// Losses, right answers and records of an epoch so far: among what is saved, should the epoch be stopped.
let sums = Accumulator 3

let trainEpoch stop net (loss: Tensor -> Tensor -> Tensor) updater =
    for batch in trainLoader.Batches stop do
        let scores: Tensor = net batch.Input
        let l = loss scores batch.Target

        match updater with
        | Library optimizer ->
            optimizer.ZeroGrad()
            l.Mean().Backward()
            optimizer.Step()
        | ByHand update ->
            l.Sum().Backward()
            update batch.Count

        sums.Add(l.Detach().Sum().Item(), correct scores batch.Target, float batch.Count)

    let loss, accuracy = sums[0] / sums[2], sums[1] / sums[2]
    sums.Reset()
    loss, accuracy

let w = Rng.Normal(0.0, 0.01, [| 784; 10 |]) |> Tensor.requiresGrad
let b = Tensor.zeros [ 10 ] |> Tensor.requiresGrad

/// What is learnt from scratch, as a module, so that a checkpoint holds it.
type Scratch() =
    inherit Module()
    member val W = Parameter w
    member val B = Parameter b

let net = Sequential(Flatten(), Linear(784, 10))
let criterion = CrossEntropyLoss(reduction = "none")
let optimizer = SGD(net.Parameters(), lr = learningRate)

let curves name =
    Animator(Path.Combine("runs", "softmax-fashion-fsharp", name + ".svg"), "epoch", [| "train loss"; "train acc"; "test acc" |])

let handCurves, libraryCurves = curves "by-hand", curves "by-library"

let run =
    SavedRun(
        "softmax-fashion-fsharp",
        [
            "by hand", Scratch()
            "net", net
            "optimizer", optimizer
            "loader", trainLoader
            "random", Generator.Default
            "sums", sums
            "curves by hand", handCurves
            "curves by library", libraryCurves
        ]
    )

let train name net loss updater (curves: Animator) =
    run.Epochs(
        name,
        10,
        fun stop epoch ->
            let trainLoss, trainAccuracy = trainEpoch stop net loss updater
            curves.Add(float epoch, trainLoss, trainAccuracy, evaluateAccuracy net)
            printfn $"  epoch {epoch}: train loss {curves.Last[0]:f3}, train acc {curves.Last[1]:f3}, test acc {curves.Last[2]:f3}"
    )

printfn "From scratch:"

let softmax (x: Tensor) =
    let exponentials = exp x
    exponentials / exponentials.Sum(1, keepdim = true)

let crossEntropy (probabilities: Tensor) (labels: Tensor) =
    -(log (probabilities.Gather(1, labels.Unsqueeze 1).Squeeze 1))

let sgd batchSize =
    noGrad (fun () ->
        for p in [ w; b ] do
            p.SubInPlace(p.Grad, alpha = learningRate / float batchSize) |> ignore
            p.Grad.ZeroInPlace() |> ignore)

train "by hand" (fun x -> softmax (x.Reshape([| -1; 784 |]).Matmul w + b)) crossEntropy (ByHand sgd) handCurves
printfn "With the library's parts:"
train "by library" net.Forward (fun scores labels -> criterion.Forward(scores, labels)) (Library optimizer) libraryCurves
printfn "Curves: runs/softmax-fashion-fsharp/by-hand.svg, runs/softmax-fashion-fsharp/by-library.svg"

let mostLoss = if small then 0.9 else 0.5

let holds (curves: Animator) =
    curves.Last[0] < mostLoss && curves.Last[1] > 0.7 && curves.Last[2] > 0.7

conclude (holds handCurves && holds libraryCurves) $"train loss under {mostLoss}, both accuracies over 70 %%"
