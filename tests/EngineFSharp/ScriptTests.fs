module Verified.Engine.FSharp.ScriptTests

open System
open System.Diagnostics
open System.IO
open Xunit

let rec private rootFrom (folder: string) =
    if File.Exists(Path.Combine(folder, "Verified.sln")) then
        folder
    else
        rootFrom (Path.GetDirectoryName folder |> Option.ofObj |> Option.get)

/// The tour runs as its first line says, in an F# session of its own, and prints what stands beside it.
[<Fact>]
let ``examples/autograd.fsx prints what it says`` () =
    let root = rootFrom AppContext.BaseDirectory
    let start = ProcessStartInfo("dotnet", [ "fsi"; "--quiet"; "examples/autograd.fsx" ])
    start.WorkingDirectory <- root
    start.RedirectStandardOutput <- true
    start.RedirectStandardError <- true
    use fsi = Process.Start start |> Option.ofObj |> Option.get
    let errors = fsi.StandardError.ReadToEndAsync()
    let printed = fsi.StandardOutput.ReadToEnd()
    fsi.WaitForExit()
    Assert.True((fsi.ExitCode = 0), printed + errors.Result)
    let expected = File.ReadAllText(Path.Combine(root, "examples", "autograd.txt"))
    Assert.Equal(expected.ReplaceLineEndings("\n"), printed.ReplaceLineEndings("\n"))
