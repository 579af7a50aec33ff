using System.Runtime.CompilerServices;
using Verified.Engine;
using Verified.Engine.Kernels;

namespace Verified.Training;

/// <summary>
/// Stochastic gradient descent, as <c>torch.optim.SGD</c>: x = x - lr g. With momentum, b = momentum b + (1 - dampening) g (b = g at first) takes g's place, or
/// with Nesterov's, g + momentum b. Weight decay adds weight_decay x to g.
/// </summary>
/// <remarks>Float32 results have PyTorch's bits on processors with fused multiply-add, given the same gradients.</remarks>
public sealed class SGD : Optimizer
{
    private readonly List<Tensor?> buffers = [];
    private double lr;
    private double momentum;
    private double dampening;
    private double weightDecay;
    private bool nesterov;
    private bool maximize;

    /// <summary>An optimizer of parameters with the same options.</summary>
    /// <inheritdoc cref="SGD(IEnumerable{ParamGroup}, double, double, double, double, bool, bool)"/>
    /// <param name="parameters">Leaf tensors, each once: <c>model.Parameters()</c>.</param>
    /// <param name="lr">The learning rate, not negative.</param>
    /// <param name="momentum">How much of the last direction is kept, not negative.</param>
    /// <param name="dampening">How much less of the gradient enters the direction.</param>
    /// <param name="weightDecay">The factor of the L2 penalty, not negative.</param>
    /// <param name="nesterov">Whether to look ahead; needs momentum and no dampening.</param>
    /// <param name="maximize">Whether to climb.</param>
    public SGD(
        IEnumerable<Tensor> parameters, double lr = 1e-3, double momentum = 0, double dampening = 0, double weightDecay = 0, bool nesterov = false, bool maximize = false)
        : this([new ParamGroup(parameters)], lr, momentum, dampening, weightDecay, nesterov, maximize)
    {
    }

    /// <summary>An optimizer of groups of parameters; the options here are for groups that do not have their own.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="lr">The learning rate, not negative.</param>
    /// <param name="momentum">How much of the last direction is kept, not negative.</param>
    /// <param name="dampening">How much less of the gradient enters the direction.</param>
    /// <param name="weightDecay">The factor of the L2 penalty, not negative.</param>
    /// <param name="nesterov">Whether to look ahead; needs momentum and no dampening.</param>
    /// <param name="maximize">Whether to climb.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a parameter is no leaf or given twice.</exception>
    public SGD(
        IEnumerable<ParamGroup> groups, double lr = 1e-3, double momentum = 0, double dampening = 0, double weightDecay = 0, bool nesterov = false, bool maximize = false)
        : base(
            groups,
            new StateDict
            {
                ["lr"] = lr,
                ["momentum"] = momentum,
                ["dampening"] = dampening,
                ["weight_decay"] = weightDecay,
                ["nesterov"] = nesterov,
                ["maximize"] = maximize,
                ["foreach"] = null,
                ["differentiable"] = false,
                ["fused"] = null,
            })
    {
    }

    private protected override void Check(ParamGroup group)
    {
        NotNegative(group.Lr, "learning rate");
        NotNegative(group.Number("momentum"), "momentum value");
        NotNegative(group.Number("weight_decay"), "weight_decay value");
        if (group.Truth("nesterov") && (group.Number("momentum") <= 0 || group.Number("dampening") != 0))
            throw new ArgumentException("Nesterov momentum requires a momentum and zero dampening");
    }

    private protected override void Extend(int count)
    {
        while (buffers.Count < count) buffers.Add(null);
    }

    private protected override void Begin(ParamGroup group)
    {
        lr = group.Lr;
        momentum = group.Number("momentum");
        dampening = group.Number("dampening");
        weightDecay = group.Number("weight_decay");
        nesterov = group.Truth("nesterov");
        maximize = group.Truth("maximize");
    }

    private protected override void Update(int number, Tensor parameter, Tensor gradient)
    {
        var first = momentum != 0 && buffers[number] is null;
        if (first) buffers[number] = Moments.Like(parameter);
        var buffer = momentum == 0 ? null : buffers[number];
        using var p = new Moments.Written(parameter);
        var g = Moments.Dense(gradient);
        if (parameter.DType == DType.Float32) Run<float>(p.Dense, g, buffer, first);
        else Run<double>(p.Dense, g, buffer, first);
    }

    private unsafe void Run<T>(Tensor parameter, Tensor gradient, Tensor? buffer, bool first)
        where T : unmanaged, System.Numerics.IFloatingPoint<T>
    {
        fixed (T* p = &parameter.Origin<T>(), g = &gradient.Origin<T>(), b = &(buffer ?? parameter).Origin<T>())
        {
            FusedUpdate.Run<Kernel<T>, T>(
                new Kernel<T>
                {
                    P = p,
                    G = g,
                    B = buffer is null ? null : b,
                    Lr = FusedUpdate.Number<T>(-lr),
                    Momentum = FusedUpdate.Number<T>(momentum),
                    Undampened = FusedUpdate.Number<T>(1 - dampening),
                    Decay = FusedUpdate.Number<T>(weightDecay),
                    First = first,
                    Decays = weightDecay != 0,
                    Nesterov = nesterov,
                    Maximize = maximize,
                },
                parameter.Count);
        }
        GC.KeepAlive(gradient);
        GC.KeepAlive(buffer);
    }

    private protected override StateDict? StateOf(int number) => buffers[number] is { } buffer ? new StateDict { ["momentum_buffer"] = buffer } : null;

    private protected override Action Reader(int number, Tensor parameter, StateDict state)
    {
        var buffer = state.TryGetValue("momentum_buffer", out var value) && value is not null ? Read(state, "momentum_buffer", parameter) : null;
        return () => buffers[number] = buffer;
    }

    private unsafe struct Kernel<T> : IUpdate<T>
        where T : unmanaged
    {
        public T* P;
        public T* G;
        public T* B;
        public T Lr, Momentum, Undampened, Decay;
        public bool First, Decays, Nesterov, Maximize;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void At<V>(long i)
            where V : struct, ISimd<V, T>
        {
            V p = V.Load(P + i), g = V.Load(G + i);
            if (Maximize) g = -g;
            if (Decays) g = V.Fma(V.Create(Decay), p, g);
            if (B != null)
            {
                var b = First ? g : V.Fma(V.Create(Undampened), g, V.Load(B + i) * V.Create(Momentum));
                V.Store(b, B + i);
                g = Nesterov ? V.Fma(V.Create(Momentum), b, g) : b;
            }
            V.Store(V.Fma(V.Create(Lr), g, p), P + i);
        }
    }
}
