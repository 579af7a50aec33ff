using System.Runtime.CompilerServices;
using Verified.Engine;
using Verified.Engine.Kernels;

namespace Verified.Training;

/// <summary>
/// Adam (Kingma and Ba, 2015), as <c>torch.optim.Adam</c>: running means m of the gradient and v of its square, both corrected for their start at zero;
/// x = x - lr m / (sqrt(v) + eps). Weight decay adds weight_decay x to the gradient.
/// </summary>
/// <remarks>Float32 results have PyTorch's bits on processors with fused multiply-add, given the same gradients.</remarks>
public class Adam : Optimizer
{
    private readonly List<Moment?> moments = [];
    private readonly bool decoupled;
    private double lr;
    private double beta1;
    private double beta2;
    private double eps;
    private double weightDecay;
    private bool amsgrad;
    private bool maximize;

    /// <summary>An optimizer of parameters with the same options.</summary>
    /// <inheritdoc cref="Adam(IEnumerable{ParamGroup}, double, ValueTuple{double, double}?, double, double, bool, bool)"/>
    /// <param name="parameters">Leaf tensors, each once: <c>model.Parameters()</c>.</param>
    /// <param name="lr">The learning rate, not negative.</param>
    /// <param name="betas">How much of the running mean of the gradient, and of that of its square, is kept, in [0, 1); (0.9, 0.999) where left out.</param>
    /// <param name="eps">Added to the denominator, not negative.</param>
    /// <param name="weightDecay">How strongly parameters are drawn to zero (how, the class says), not negative.</param>
    /// <param name="amsgrad">Whether the greatest v so far is taken (Reddi et al., 2018).</param>
    /// <param name="maximize">Whether to climb.</param>
    public Adam(
        IEnumerable<Tensor> parameters,
        double lr = 1e-3,
        (double First, double Second)? betas = null,
        double eps = 1e-8,
        double weightDecay = 0,
        bool amsgrad = false,
        bool maximize = false)
        : this([new ParamGroup(parameters)], lr, betas, eps, weightDecay, amsgrad, maximize)
    {
    }

    /// <summary>An optimizer of groups of parameters; the options here are for groups that do not have their own.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="lr">The learning rate, not negative.</param>
    /// <param name="betas">How much of the running mean of the gradient, and of that of its square, is kept, in [0, 1); (0.9, 0.999) where left out.</param>
    /// <param name="eps">Added to the denominator, not negative.</param>
    /// <param name="weightDecay">How strongly parameters are drawn to zero (how, the class says), not negative.</param>
    /// <param name="amsgrad">Whether the greatest v so far is taken (Reddi et al., 2018).</param>
    /// <param name="maximize">Whether to climb.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a parameter is no leaf or given twice.</exception>
    public Adam(
        IEnumerable<ParamGroup> groups,
        double lr = 1e-3,
        (double First, double Second)? betas = null,
        double eps = 1e-8,
        double weightDecay = 0,
        bool amsgrad = false,
        bool maximize = false)
        : this(groups, lr, betas, eps, weightDecay, amsgrad, maximize, decoupled: false)
    {
    }

    private protected Adam(
        IEnumerable<ParamGroup> groups, double lr, (double First, double Second)? betas, double eps, double weightDecay, bool amsgrad, bool maximize, bool decoupled)
        : base(groups, Defaults(lr, betas, eps, weightDecay, amsgrad, maximize, decoupled)) => this.decoupled = decoupled;

    private static StateDict Defaults(double lr, (double First, double Second)? betas, double eps, double weightDecay, bool amsgrad, bool maximize, bool decoupled)
    {
        var defaults = new StateDict
        {
            ["lr"] = lr,
            ["betas"] = betas is var (first, second) ? new object?[] { first, second } : new object?[] { 0.9, 0.999 },
            ["eps"] = eps,
            ["weight_decay"] = weightDecay,
            ["amsgrad"] = amsgrad,
        };
        // PyTorch's two classes have these in different orders.
        if (decoupled) defaults.Add("foreach", null);
        defaults.Add("maximize", maximize);
        if (!decoupled) defaults.Add("foreach", null);
        defaults.Add("capturable", false);
        defaults.Add("differentiable", false);
        defaults.Add("fused", null);
        return defaults;
    }

    private protected override void Check(ParamGroup group)
    {
        NotNegative(group.Lr, "learning rate");
        NotNegative(group.Number("eps"), "epsilon value");
        var (first, second) = group.Pair("betas");
        if (!(first is >= 0 and < 1)) throw new ArgumentException($"Invalid beta parameter at index 0: {PythonText.Of(first)}");
        if (!(second is >= 0 and < 1)) throw new ArgumentException($"Invalid beta parameter at index 1: {PythonText.Of(second)}");
        NotNegative(group.Number("weight_decay"), "weight_decay value");
    }

    private protected override void Extend(int count)
    {
        while (moments.Count < count) moments.Add(null);
    }

    private protected override void Begin(ParamGroup group)
    {
        lr = group.Lr;
        (beta1, beta2) = group.Pair("betas");
        eps = group.Number("eps");
        weightDecay = group.Number("weight_decay");
        amsgrad = group.Truth("amsgrad");
        maximize = group.Truth("maximize");
    }

    private protected override void Update(int number, Tensor parameter, Tensor gradient)
    {
        var moment = moments[number] ??= new Moment { Mean = Moments.Like(parameter), Square = Moments.Like(parameter) };
        if (amsgrad) moment.Greatest ??= Moments.Like(parameter);
        moment.Step++;
        using var p = new Moments.Written(parameter);
        var g = Moments.Dense(gradient);
        if (parameter.DType == DType.Float32) Run<float>(p.Dense, g, moment);
        else Run<double>(p.Dense, g, moment);
    }

    private unsafe void Run<T>(Tensor parameter, Tensor gradient, Moment moment)
        where T : unmanaged, System.Numerics.IFloatingPoint<T>
    {
        var size = lr / (1 - Math.Pow(beta1, moment.Step));
        var correction = Math.Sqrt(1 - Math.Pow(beta2, moment.Step));
        fixed (T* p = &parameter.Origin<T>(), g = &gradient.Origin<T>(), m = &moment.Mean.Origin<T>(), v = &moment.Square.Origin<T>(), w = &(moment.Greatest ?? moment.Square).Origin<T>())
        {
            FusedUpdate.Run<Kernel<T>, T>(
                new Kernel<T>
                {
                    P = p,
                    G = g,
                    M = m,
                    V2 = v,
                    W = amsgrad ? w : null,
                    Decay = FusedUpdate.Number<T>(decoupled ? 1 - (lr * weightDecay) : weightDecay),
                    Weight = FusedUpdate.Number<T>(1 - beta1),
                    LessOne = FusedUpdate.Number<T>(1 - beta1) - T.One,
                    Heavy = FusedUpdate.Number<T>(1 - beta1) >= FusedUpdate.Number<T>(0.5),
                    Beta2 = FusedUpdate.Number<T>(beta2),
                    Rest = FusedUpdate.Number<T>(1 - beta2),
                    Correction = FusedUpdate.Number<T>(correction),
                    Eps = FusedUpdate.Number<T>(eps),
                    Size = FusedUpdate.Number<T>(-size),
                    Couples = !decoupled && weightDecay != 0,
                    Shrinks = decoupled,
                    Maximize = maximize,
                },
                parameter.Count);
        }
        GC.KeepAlive(gradient);
        GC.KeepAlive(moment);
    }

    private protected override StateDict? StateOf(int number)
    {
        if (moments[number] is not { } moment) return null;
        var state = new StateDict { ["step"] = Tensor.Scalar(moment.Step), ["exp_avg"] = moment.Mean, ["exp_avg_sq"] = moment.Square };
        if (moment.Greatest is { } greatest) state.Add("max_exp_avg_sq", greatest);
        return state;
    }

    private protected override Action Reader(int number, Tensor parameter, StateDict state)
    {
        if (state.Count == 0) return () => moments[number] = null;
        var moment = new Moment { Step = state.Number("step"), Mean = Read(state, "exp_avg", parameter), Square = Read(state, "exp_avg_sq", parameter) };
        if (state.ContainsKey("max_exp_avg_sq")) moment.Greatest = Read(state, "max_exp_avg_sq", parameter);
        return () => moments[number] = moment;
    }

    private sealed class Moment
    {
        public required Tensor Mean;
        public required Tensor Square;
        public Tensor? Greatest;
        public double Step;
    }

    private unsafe struct Kernel<T> : IUpdate<T>
        where T : unmanaged
    {
        public T* P;
        public T* G;
        public T* M;
        public T* V2;
        public T* W;
        public T Decay, Weight, LessOne, Beta2, Rest, Correction, Eps, Size;
        public bool Heavy, Couples, Shrinks, Maximize;

        // The roundings are those of PyTorch's chain of operators: lerp_, mul_, addcmul_, sqrt, div, add_, addcdiv_.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void At<V>(long i)
            where V : struct, ISimd<V, T>
        {
            V p = V.Load(P + i), g = V.Load(G + i), m = V.Load(M + i);
            if (Maximize) g = -g;
            if (Shrinks) p *= V.Create(Decay);
            if (Couples) g = V.Fma(V.Create(Decay), p, g);
            m = Heavy ? V.Fma(V.Create(LessOne), g - m, g) : V.Fma(V.Create(Weight), g - m, m);
            V.Store(m, M + i);
            var v = V.Fma(V.Create(Rest) * g, g, V.Load(V2 + i) * V.Create(Beta2));
            V.Store(v, V2 + i);
            if (W != null)
            {
                v = V.Max(V.Load(W + i), v);
                V.Store(v, W + i);
            }
            var denominator = (V.Sqrt(v) / V.Create(Correction)) + V.Create(Eps);
            V.Store(p + (V.Create(Size) * m / denominator), P + i);
        }
    }
}

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as <c>torch.optim.AdamW</c>: before each step x = (1 - lr weight_decay) x, and the gradient
/// stays as it is.
/// </summary>
public sealed class AdamW : Adam
{
    /// <summary>An optimizer of parameters with the same options.</summary>
    /// <inheritdoc cref="Adam(IEnumerable{Tensor}, double, ValueTuple{double, double}?, double, double, bool, bool)"/>
    public AdamW(
        IEnumerable<Tensor> parameters,
        double lr = 1e-3,
        (double First, double Second)? betas = null,
        double eps = 1e-8,
        double weightDecay = 1e-2,
        bool amsgrad = false,
        bool maximize = false)
        : this([new ParamGroup(parameters)], lr, betas, eps, weightDecay, amsgrad, maximize)
    {
    }

    /// <inheritdoc cref="Adam(IEnumerable{ParamGroup}, double, ValueTuple{double, double}?, double, double, bool, bool)"/>
    public AdamW(
        IEnumerable<ParamGroup> groups,
        double lr = 1e-3,
        (double First, double Second)? betas = null,
        double eps = 1e-8,
        double weightDecay = 1e-2,
        bool amsgrad = false,
        bool maximize = false)
        : base(groups, lr, betas, eps, weightDecay, amsgrad, maximize, decoupled: true)
    {
    }
}
