"""The pre-training step of lib/electra/step.ts in PyTorch (1.13 or later), as a user who cares for speed writes it.

Fused operators where eager PyTorch has them (linear, gelu, layer_norm, cross_entropy, baddbmm with the mask and the
scale in it), one product for query, key and value, and all parameters in one flat tensor of which the modules hold
views, so that clipping and AdamW (torch.optim's formula, in place) are a dozen calls instead of thousands.

Reads a JSON job as its first argument, {config, dropout, warmup, steps, device?: "cpu" or "cuda", compile?: boolean};
prints JSON: {description, threads, times, losses}. On CUDA products are in float32 too, without TF32.
"""

import ctypes
import json
import math
import os
import re
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

job = json.loads(sys.argv[1])
config, dropout = job["config"], job["dropout"]
special, training = config["special"], config["training"]
b, t, v, e = training["batchSize"], training["sequenceLength"], config["vocabSize"], config["embeddingSize"]
n = max(1, math.floor((config["maskProbability"] + 0.005) * t))
epsilon = config["layerNormEpsilon"]
device = torch.device(job.get("device", "cpu"))
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.manual_seed(0)
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))


def drop(x):
    return F.dropout(x, dropout, training=True) if dropout > 0 else x


class Layer(nn.Module):
    def __init__(self, size):
        super().__init__()
        c, f = size["hiddenSize"], size["feedForwardSize"]
        self.heads, self.d = size["heads"], c // size["heads"]
        self.qkv, self.output = nn.Linear(c, 3 * c), nn.Linear(c, c)
        self.inner, self.outer = nn.Linear(c, f), nn.Linear(f, c)
        self.attention_norm, self.norm = nn.LayerNorm(c, epsilon), nn.LayerNorm(c, epsilon)

    def forward(self, x, mask):
        """x [b·t, c], mask [b, 1, t], 0 or a large negative number."""
        h, d = self.heads, self.d
        q, k, v = self.qkv(x).view(b, t, 3, h, d).permute(2, 0, 3, 1, 4).reshape(3, b * h, t, d).unbind(0)
        scores = torch.baddbmm(mask.repeat_interleave(h, 0), q, k.transpose(1, 2), alpha=d**-0.5)
        heard = torch.bmm(drop(F.softmax(scores, -1)), v).view(b, h, t, d).transpose(1, 2).reshape(b * t, h * d)
        a = self.attention_norm(x + drop(self.output(heard)))
        return self.norm(a + drop(self.outer(F.gelu(self.inner(a)))))


class Encoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.project = nn.Linear(e, size["hiddenSize"]) if size["hiddenSize"] != e else nn.Identity()
        self.layers = nn.ModuleList(Layer(size) for _ in range(size["layers"]))

    def forward(self, x, mask):
        x = self.project(x)
        for layer in self.layers:
            x = layer(x, mask)
        return x


class Electra(nn.Module):
    """Both networks; they share the embedding block, and the generator's output matrix is the word table."""

    def __init__(self):
        super().__init__()
        c = config["discriminator"]["hiddenSize"]
        self.word, self.segment = nn.Embedding(v, e), nn.Embedding(config["typeVocabSize"], e)
        self.position = nn.Embedding(config["maxPositions"], e)
        self.embedding_norm = nn.LayerNorm(e, epsilon)
        self.generator, self.discriminator = Encoder(config["generator"]), Encoder(config["discriminator"])
        self.guess, self.guess_norm = nn.Linear(config["generator"]["hiddenSize"], e), nn.LayerNorm(e, epsilon)
        self.guess_bias = nn.Parameter(torch.zeros(v))
        self.judge, self.verdict = nn.Linear(c, c), nn.Linear(c, 1)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.trunc_normal_(p, std=0.02, a=-0.04, b=0.04)
            elif "bias" in name:
                nn.init.zeros_(p)

    def embed(self, tokens, types):
        x = self.word(tokens) + self.segment(types) + self.position.weight[:t]
        return drop(self.embedding_norm(x)).view(b * t, e)

    def forward(self, tokens, types, attend):
        candidates = attend.bool()
        for name in ("cls", "sep", "mask", "pad"):
            candidates = candidates & (tokens != special[name])
        at = (torch.rand(b, t, device=device) + 1).mul_(candidates).topk(n, sorted=False).indices
        answers = tokens.gather(1, at)
        hidden = torch.where(torch.rand(b, n, device=device) < config["hideProbability"], special["mask"], answers)
        mask = ((attend - 1) * 1e9).view(b, 1, t)

        h = self.generator(self.embed(tokens.scatter(1, at, hidden), types), mask)
        h = h[(at + torch.arange(b, device=device).unsqueeze(1) * t).view(-1)]
        guesses = F.linear(self.guess_norm(F.gelu(self.guess(h))), self.word.weight, self.guess_bias)
        mlm = F.cross_entropy(guesses, answers.view(-1))

        with torch.no_grad():
            # argmax(logits + Gumbel), the noise made in place.
            noise = torch.rand_like(guesses).log_().neg_().log_()
            chosen = (guesses - noise).argmax(1).view(b, n)
            corrupted = tokens.scatter(1, at, chosen)
            replaced = (corrupted != tokens).float()

        h = self.discriminator(self.embed(corrupted, types), mask)
        verdicts = self.verdict(F.gelu(self.judge(h))).view(b, t)
        rtd = F.binary_cross_entropy_with_logits(verdicts, replaced, attend, reduction="sum") / attend.sum()
        return config["generatorWeight"] * mlm + config["discriminatorWeight"] * rtd


def flatten(model):
    """One tensor with all parameters, decayed ones first, and one with their gradients; the model's become views."""
    named = sorted(model.named_parameters(), key=lambda item: item[1].dim() < 2)
    decayed = sum(p.numel() for _, p in named if p.dim() >= 2)
    flat = torch.cat([p.detach().reshape(-1) for _, p in named])
    gradient, start = torch.zeros_like(flat), 0
    for _, p in named:
        end = start + p.numel()
        p.data, p.grad = flat[start:end].view_as(p), gradient[start:end].view_as(p)
        start = end
    return flat, gradient, decayed


model = Electra().to(device)
flat, gradient, decayed = flatten(model)
m, s, root = torch.zeros_like(flat), torch.zeros_like(flat), torch.empty_like(flat)
beta1, beta2 = 0.9, 0.999
forward = torch.compile(model) if job.get("compile") else model


def step(count, tokens, types, attend):
    gradient.zero_()
    loss = forward(tokens, types, attend)
    loss.backward()
    scale = 1 / max(gradient.norm().item(), training["clipNorm"])
    rate = 5e-4 * min(1, count / 10) * (1 - count / 1000)
    # Adam without bias correction (lib/optim/adam.ts); the clipping is folded into the averages' factors.
    m.mul_(beta1).add_(gradient, alpha=(1 - beta1) * scale)
    s.mul_(beta2).addcmul_(gradient, gradient, value=(1 - beta2) * scale * scale)
    torch.sqrt(s, out=root).add_(1e-6)
    flat[:decayed].mul_(1 - rate * training["weightDecay"])
    flat.addcdiv_(m, root, value=-rate)
    return loss.item()


def instructions():
    """Which kernels run, in the libraries' own words: ATen's instruction set, and OpenBLAS's core where it is the BLAS."""
    found = re.search(r"CPU capability usage: (\S+)", torch.__config__.show())
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name()}, {'torch.compile' if job.get('compile') else 'eager'}"
    said = [f"ATen {found[1]}"] if found else []
    with open("/proc/self/maps") as maps:
        library = next((line.split()[-1] for line in maps if "libopenblas" in line), None)
    if library:
        name = ctypes.CDLL(library).openblas_get_corename
        name.restype = ctypes.c_char_p
        said.append(f"OpenBLAS {name().decode()}")
    return "; ".join(["CPU", *said])


types, attend = torch.zeros(b, t, dtype=torch.long, device=device), torch.ones(b, t, device=device)
k = torch.arange(b * t, device=device)
times, losses = [], []
for i in range(job["warmup"] + job["steps"]):
    tokens = special["mask"] + 1 + (k + i * 31) * 7919 % min(1000, v - special["mask"] - 1)
    tokens = torch.where(k % t == 0, special["cls"], torch.where(k % t == t - 1, special["sep"], tokens)).view(b, t)
    start = time.perf_counter()
    losses.append(step(i, tokens, types, attend))
    if i >= job["warmup"]:
        times.append(1000 * (time.perf_counter() - start))

print(
    json.dumps(
        {
            "description": f"PyTorch {torch.__version__} ({instructions()})",
            "threads": torch.get_num_threads(),
            "times": times,
            "losses": losses,
            "peakRssMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
