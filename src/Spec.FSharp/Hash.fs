namespace Verified.Spec

open System
open System.Security.Cryptography
open System.Text

/// The content hash of a program: two programs have the same one where they are the same to the bit.
[<RequireQualifiedAccess>]
module Hash =
    /// Sixteen hexadecimal digits of the SHA-256 of the program's JSON.
    let ofProgram (program: Program) =
        let digest = SHA256.HashData(Encoding.UTF8.GetBytes(Json.writeProgram program))
        Convert.ToHexString(digest, 0, 8).ToLowerInvariant()
