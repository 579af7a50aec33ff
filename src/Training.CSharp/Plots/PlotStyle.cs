namespace Verified.Training;

/// <summary>Colours and strokes of plots. Curves differ in their dashes too, for those who do not tell the colours apart.</summary>
internal static class PlotStyle
{
    /// <summary>How many curves look different.</summary>
    public const int Curves = 6;

    /// <summary>The style sheet; colours follow the reader's light or dark setting.</summary>
    public const string Css = """
        <style>
        text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:14px}
        .paper{fill:#fff}.grid{stroke:#e3e3e3}.frame{fill:none;stroke:#888}.legend{fill:#fff;fill-opacity:.85;stroke:#ccc}
        .curve{fill:none;stroke-width:2;stroke-linejoin:round}
        .curve.c0{stroke:#1667b7}.curve.c1{stroke:#b3246b;stroke-dasharray:7 3}.curve.c2{stroke:#1b7d3b;stroke-dasharray:2 3}
        .curve.c3{stroke:#a85a00;stroke-dasharray:9 3 2 3}.curve.c4{stroke:#6a45c0;stroke-dasharray:12 4}.curve.c5{stroke:#007a87;stroke-dasharray:4 4}
        .point.c0{fill:#1667b7}.point.c1{fill:#b3246b}.point.c2{fill:#1b7d3b}.point.c3{fill:#a85a00}.point.c4{fill:#6a45c0}.point.c5{fill:#007a87}
        @media (prefers-color-scheme:dark){
        text{fill:#ddd}.paper{fill:#16181c}.grid{stroke:#30343b}.frame{stroke:#777}.legend{fill:#16181c;stroke:#444}
        .curve.c0{stroke:#6cb2f7}.curve.c1{stroke:#f27db8}.curve.c2{stroke:#6fd08c}.curve.c3{stroke:#f0a95a}.curve.c4{stroke:#b49cf5}.curve.c5{stroke:#5fd0dd}
        .point.c0{fill:#6cb2f7}.point.c1{fill:#f27db8}.point.c2{fill:#6fd08c}.point.c3{fill:#f0a95a}.point.c4{fill:#b49cf5}.point.c5{fill:#5fd0dd}
        }
        </style>

        """;
}
