// Softmax regression on Fashion-MNIST, first from scratch, then with the library's parts; one epoch function serves both. Run it with
//     examples/build && dotnet fsi examples/softmax-fashion.fsx [--small] [--data FOLDER]
#load "training.fsx"

open System.IO
open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

savesNothing ()

let batchSize, learningRate = 256, 0.1

let train, test =
    match dataFolder with
    | Some folder ->
        printfn $"Fashion-MNIST from {folder}."
        FashionMnist.Load(folder, train = true), FashionMnist.Load(folder, train = false)
    | None ->
        printfn "Generated images of Fashion-MNIST's shape. The real ones: the four .gz files of"
        printfn "https://github.com/zalandoresearch/fashion-mnist, folder data/fashion; then --data FOLDER."
        Generated.FashionLike((if small then 6000 else 60_000), 1L), Generated.FashionLike((if small then 1000 else 10_000), 2L)

Rng.ManualSeed 0L |> ignore
let trainLoader = DataLoader(train, batchSize, shuffle = true)
let testLoader = DataLoader(test, batchSize)

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

let trainEpoch net (loss: Tensor -> Tensor -> Tensor) updater =
    let sums = Accumulator 3

    for batch in trainLoader do
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

    sums[0] / sums[2], sums[1] / sums[2]

let run name net loss updater =
    let picture = Path.Combine("runs", "softmax-fashion", name + ".svg")

    let animator =
        Animator(picture, "epoch", [| "train loss"; "train acc"; "test acc" |])

    let epoch i =
        let trainLoss, trainAccuracy = trainEpoch net loss updater
        let testAccuracy = evaluateAccuracy net
        animator.Add(float i, trainLoss, trainAccuracy, testAccuracy)
        printfn $"  epoch {i}: train loss {trainLoss:f3}, train acc {trainAccuracy:f3}, test acc {testAccuracy:f3}"
        trainLoss, trainAccuracy, testAccuracy

    let final = [ 1..10 ] |> List.map epoch |> List.last
    printfn $"  curves: {picture}"
    final

printfn "From scratch:"
let w = Rng.Normal(0.0, 0.01, [| 784; 10 |]) |> Tensor.requiresGrad
let b = Tensor.zeros [ 10 ] |> Tensor.requiresGrad

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

let byHand =
    run "by-hand" (fun x -> softmax (x.Reshape([| -1; 784 |]).Matmul w + b)) crossEntropy (ByHand sgd)

printfn "With the library's parts:"
let net = Sequential(Flatten(), Linear(784, 10))
let criterion = CrossEntropyLoss(reduction = "none")
let optimizer = SGD(net.Parameters(), lr = learningRate)

let byLibrary =
    run "by-library" net.Forward (fun scores labels -> criterion.Forward(scores, labels)) (Library optimizer)

let mostLoss = if small then 0.9 else 0.5

let holds (loss, train, test) =
    loss < mostLoss && train > 0.7 && test > 0.7

conclude (holds byHand && holds byLibrary) $"train loss under {mostLoss}, both accuracies over 70 %%"
