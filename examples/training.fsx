// What the training scripts beside this one load: the engine, its F# face and the training library, and the options that they share.
// Build them once with `examples/build`.
#load "../src/Engine.FSharp/fsi.fsx"
#r "../src/Training.CSharp/bin/Release/net10.0/Verified.Training.dll"

/// Fewer records and epochs, for a quick look.
let small = fsi.CommandLineArgs |> Array.contains "--small"

/// The folder of the real data, if one is given.
let dataFolder =
    match fsi.CommandLineArgs |> Array.tryFindIndex ((=) "--data") with
    | Some i when i + 1 < fsi.CommandLineArgs.Length -> Some fsi.CommandLineArgs[i + 1]
    | _ -> None

/// Whether to go on from the checkpoint of an earlier run.
let resume = fsi.CommandLineArgs |> Array.contains "--resume"

/// Ends a script that saves no checkpoints and is asked to go on from one.
let savesNothing () =
    if resume then
        eprintfn "--resume: this script saves no checkpoints"
        exit 2

/// Says whether the target was reached, and ends the script: exit code 0 where it was.
let conclude reached target =
    printfn "%s  %s" (if reached then "REACHED" else "MISSED") target
    exit (if reached then 0 else 1)
