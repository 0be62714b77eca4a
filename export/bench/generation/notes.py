"""What the tables of `bench generate` are of."""

LEGEND = """\
Surfaces: simulated Heston and SABR, 28 x 28 (`python -m export.simulation.equity`), {train:,} to learn from
and {held:,} held out, of another seed. Features are voladdin's (a polynomial of total degree 3; the paper
does not print its orders). Of four features, voladdin is the bundle `{model}` ({bundle_steps:,} steps of
{batch}); of one and three it is trained here with {steps:,} steps. The paper's network is re-implemented
with its layers, loss, beta of 5e-8, Adam at 3e-4 and batches of 64, in {epochs} epochs instead of {paper:,},
and with a rate that falls to 0; it standardises vols and features, of which the paper says nothing. With so
few epochs that beta leaves z far from N(0, I), and the network far from the errors that the paper prints:
what it does with a drawn z here is no verdict on the paper's own. Beta {tuned:g}, the best of 0.01, 0.1 and 1
by these errors at four features, stands beside it. PCA-Gaussian: {components} principal components, jointly
Gaussian with the features. One thread (OMP_NUM_THREADS {threads}); seed {seed}.
"""
CONTROL_NOTE = """\
Largest / 99th percentile / mean absolute error of each controlled feature, {targets:,} targets: the features
of held-out surfaces, z ~ N(0, I). The paper's are the largest of 1,000.
"""
DRIFT_NOTE = """\
Range of each controlled feature while one latent goes from -8 to 8, the others 0, features as in the paper's
table 2; the largest over the latents. `moved`: the largest range of a vol, bp: how much z does.
"""
VALIDITY_NOTE = """\
{count:,} surfaces a region, as decoded. `grid`: `va.check` finds a trade. f and dw/dtau: the paper's
conditions at the nodes, on splines. `any`: one of the two, as the paper counts: 0 of 60,000 in the hull, 9.0%
in the rectangle. Hull: all |z| at most 3. Rectangle: between the least and the largest training feature,
z ~ N(0, I); the paper's is "extended", it does not say how far. Tails: the same, with one latent beyond 3.
"""
USER_NOTE = """\
The same targets and latents asked of `va.generate`: those whose decoded surface has no arbitrage in one call,
and of the others {sample}, drawn at random, one by one. `returned, moved`: repaired with the features kept.
The paper leaves 4.9% of its surfaces with arbitrage.
"""
LATENT_NOTE = """\
Algorithm 2 of the paper on at most {sample} of voladdin's decoded surfaces with arbitrage: only z moves. The
paper, with three features in the rectangle: 45.5% of 5,412. `va.generate` does not use it.
"""
TIME_NOTE = """\
The rivals' vols are not checked. Load of the machine {load:.1f}, {processors} processors.
"""
SHIFT_NOTE = """\
Naive: held-out vols plus d, d m, d m^2 / 2 or d tau, which changes the feature by as much; all of them.
`w falls`: dw/dtau < 0 somewhere, the paper's example. `va.shift`: the first {shifts} of them.
"""
RECONSTRUCTION_NOTE = """\
Held-out surfaces through encoder and decoder. The paper: log10 MSE about -4, in units it does not give.
"""
DISTANCE_NOTE = """\
Wasserstein-1 distance from one half of the held-out surfaces, in standard deviations of the training
surfaces. Features asked for are those of the other half, whose own distance is the first row: what chance
does. w(tenor, ln K/F): total variance there. Sliced: mean over 200 directions, of surfaces standardised cell
by cell, and of the first 5 modes of what the four features leave, whitened. `va.sample` draws its own
features.
"""
