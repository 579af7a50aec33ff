// What the training scripts beside this one load: the engine, its F# face and the training library, the options that they share, and runs that are saved.
// Build them once with `examples/build`.
#load "../src/Engine.FSharp/fsi.fsx"
#r "../src/Training.CSharp/bin/Release/net10.0/Verified.Training.dll"

open System
open System.IO
open Verified.Training

let private given = fsi.CommandLineArgs |> Array.skip 1 |> Array.toList

/// Ends the script with a sentence: what it was given cannot be used.
let refuse (why: string) =
    eprintfn "%s" why
    exit 2

/// Ends the script where it is given anything but the options that it heeds, such as [ "--small"; "--data FOLDER" ].
let takes (options: string list) =
    let usage =
        match options with
        | [] -> "this script takes no options"
        | _ -> "this script takes " + String.concat ", " options

    let rec check rest =
        match rest with
        | [] -> ()
        | "--data" :: folder :: rest when options |> List.contains "--data FOLDER" ->
            if not (Directory.Exists folder) then
                refuse $"the folder '{folder}' of --data does not exist"

            check rest
        | option :: rest when option <> "--data" && options |> List.contains option -> check rest
        | option :: _ -> refuse $"{option}: {usage}"

    check given

/// Fewer records and epochs, for a quick look.
let small = given |> List.contains "--small"

/// Whether to go on from the checkpoint of an earlier run.
let resume = given |> List.contains "--resume"

/// What to do with the folder of the real data (that of --data, or data/NAME where there is one), or without.
let data (name: string) (real: string -> 'data) (generated: unit -> 'data) =
    let folder =
        match given |> List.tryFindIndex ((=) "--data") with
        | Some i -> Some given[i + 1]
        | None -> Some(Path.Combine("data", name)) |> Option.filter Directory.Exists

    match folder with
    | None -> generated ()
    | Some folder ->
        try
            real folder
        with :? IOException as e ->
            refuse e.Message

/// Epochs that are saved as they end, and when Ctrl-C stops them in between; --resume goes on there, with the same bits as if it had never stopped.
/// The parts are all that training changes: model, optimizer, loader, generator, sums.
type SavedRun(name: string, parts: (string * IStateful) list) =
    let file = Path.Combine("runs", name, "checkpoint.pt")

    let finished =
        if not resume then
            StateDict()
        elif not (File.Exists file) then
            refuse $"--resume: there is no checkpoint {file}"
        else
            try
                let restored =
                    Checkpoint.Restore(file, [| for part in parts -> struct (fst part, snd part) |])

                printfn $"Going on from {file}."
                restored.Dictionary "finished"
            with
            | :? IOException
            | :? StateDictException as e -> refuse e.Message

    let count (stage: string) =
        if finished.ContainsKey stage then
            int (finished.Integer stage)
        else
            0

    let save () =
        let named = [| for name, part in parts -> struct (name, box part) |]
        Checkpoint.Save(file, Array.append named [| struct ("finished", box finished) |])

    /// Runs the epochs of a stage that are left; an epoch is given what stops it, and its number from 1.
    member _.Epochs(stage: string, all: int, epoch: Threading.CancellationToken -> int -> unit) =
        use stop = new StopSignal()

        try
            for number in count stage + 1 .. all do
                epoch stop.Token number
                finished[stage] <- int64 number
                save ()
        with
        | :? DatasetException as e -> refuse e.Message
        | :? OperationCanceledException ->
            save ()
            printfn $"Stopped in epoch {count stage + 1}; --resume goes on from {file}."
            exit 130

/// Says whether the target was reached, and ends the script: exit code 0 where it was.
let conclude reached target =
    printfn "%s  %s" (if reached then "REACHED" else "MISSED") target
    exit (if reached then 0 else 1)
