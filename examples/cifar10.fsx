// The classic small convolutional network on CIFAR-10, with the tutorial's print-out. Run it with
//     examples/build && dotnet fsi examples/cifar10.fsx [--small] [--data FOLDER] [--resume]
#load "training.fsx"

open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

takes [ "--small"; "--data FOLDER"; "--resume" ]

type Net() =
    inherit Module()
    let conv1 = Conv2d(3, 6, Size2D 5)
    let pool = MaxPool2d(Size2D 2, Size2D 2)
    let conv2 = Conv2d(6, 16, Size2D 5)
    let fc1 = Linear(16 * 5 * 5, 120)
    let fc2 = Linear(120, 84)
    let fc3 = Linear(84, 10)

    override _.Forward(x: Tensor) =
        let x = conv1.Forward(x).Relu() |> pool.Forward
        let x = conv2.Forward(x).Relu() |> pool.Forward
        let x = x.Flatten 1
        fc3.Forward(fc2.Forward(fc1.Forward(x).Relu()).Relu())

let train, test =
    data
        "cifar10"
        (fun folder ->
            printfn $"CIFAR-10 from {folder}."
            Cifar10.Load(folder, train = true), Cifar10.Load(folder, train = false))
        (fun () ->
            printfn "Generated images of CIFAR-10's shape. The real ones: https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz,"
            printfn "unpacked; then --data FOLDER, or its files in data/cifar10."
            Generated.CifarLike((if small then 4000 else 50_000), 1L), Generated.CifarLike((if small then 500 else 10_000), 2L))

let normalize = Transforms.Normalize([| 0.5; 0.5; 0.5 |], [| 0.5; 0.5; 0.5 |])

let some count (data: Dataset) =
    (if small then data.Take count else data).MapInput normalize

Rng.ManualSeed 0L |> ignore
let trainLoader = DataLoader(some 4000 train, 4, shuffle = true, numWorkers = 2)
let testLoader = DataLoader(some 500 test, 100)
let net = Net()
let criterion = CrossEntropyLoss()
let optimizer = SGD(net.Parameters(), lr = 0.001, momentum = 0.9)
let every = if small then 250 else 2000

let runningLoss = Accumulator 1

let run =
    SavedRun(
        "cifar10-fsharp",
        [
            "model", net
            "optimizer", optimizer
            "loader", trainLoader
            "random", Generator.Default
            "running loss", runningLoss
        ]
    )

run.Epochs(
    "training",
    2,
    fun stop epoch ->
        for batch in trainLoader.Batches stop do
            optimizer.ZeroGrad()
            let loss = criterion.Forward(net.Forward batch.Input, batch.Target)
            loss.Backward()
            optimizer.Step()
            runningLoss.Add(loss.Item())

            if trainLoader.Position % every = 0 then
                printfn $"[{epoch}, {trainLoader.Position, 5}] loss: {runningLoss[0] / float every:f3}"
                runningLoss.Reset()

        runningLoss.Reset()
)

printfn "Finished Training"

let correct =
    noGrad (fun () ->
        testLoader
        |> Seq.sumBy (fun batch -> net.Forward(batch.Input).Argmax(1).Eq(batch.Target).Sum().Item()))

let accuracy = correct / float testLoader.Dataset.Count
let target = if small then 0.35 else 0.5
conclude (accuracy > target) $"test accuracy over {target:p0}: it is {accuracy:p1}"
