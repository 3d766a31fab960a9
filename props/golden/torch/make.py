"""Makes the files beside it with PyTorch (1.13.1 was used): python3 make.py"""
import collections
import json
import os

import torch

here = os.path.dirname(os.path.abspath(__file__))


def both(state, name):
    torch.save(state, f'{here}/{name}.zip.bin')
    torch.save(state, f'{here}/{name}.legacy.bin', _use_new_zipfile_serialization=False)


# Windows on storages of every kind. The law beside lists the same numbers.
line = torch.arange(12.0)
windows = collections.OrderedDict(
    contiguous=line.reshape(3, 4),
    transposed=line.reshape(3, 4).t(),
    part=line[2:7],
    column=line.reshape(3, 4)[:, 1],
    middle=torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)[1:3],
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    half=torch.tensor([1.0, -2.0, 65504.0, 2.0**-24, float('inf')], dtype=torch.half),
    brain=torch.tensor([[1.0, -2.0], [3.0, 2.0**100]], dtype=torch.bfloat16).t(),
    double=torch.tensor([0.1, 1e300], dtype=torch.double),
    long=torch.tensor([[1, -2, 2**40]]),
    int=torch.tensor([7, -8], dtype=torch.int),
    bool=torch.tensor([True, False]),
    parameter=torch.nn.Parameter(torch.ones(2)),
)
windows._metadata = collections.OrderedDict({'': {'version': 1}})
both(windows, 'windows')

# A generator of ELECTRA, as conversions of 2020 left them: kernels transposed, the tied matrix twice, old buffers, a
# projection that does not belong there, and a feed-forward width in the configuration that is not the tensors' one.
V, E, P, T, H, F = 7, 4, 5, 2, 4, 8
torch.manual_seed(0)
model = collections.OrderedDict()
put = lambda name, *shape: model.__setitem__(name, torch.randn(*shape))
kernel = lambda name, out, into: model.__setitem__(name, torch.randn(into, out).t())
for name, rows in [('word', V), ('position', P), ('token_type', T)]:
    put(f'electra.embeddings.{name}_embeddings.weight', rows, E)
model['electra.embeddings.position_ids'] = torch.arange(P)[None]
for end in ['weight', 'bias']:
    put(f'electra.embeddings.LayerNorm.{end}', E)
kernel('electra.embeddings_project.weight', H, E)
put('electra.embeddings_project.bias', H)
layer = 'electra.encoder.layer.0'
for name, out, into in [('attention.self.query', H, H), ('attention.self.key', H, H), ('attention.self.value', H, H),
                        ('attention.output.dense', H, H), ('intermediate.dense', F, H), ('output.dense', H, F)]:
    kernel(f'{layer}.{name}.weight', out, into)
    put(f'{layer}.{name}.bias', out)
for name in ['attention.output', 'output']:
    for end in ['weight', 'bias']:
        put(f'{layer}.{name}.LayerNorm.{end}', H)
kernel('generator_predictions.dense.weight', E, H)
put('generator_predictions.dense.bias', E)
for end in ['weight', 'bias']:
    put(f'generator_predictions.LayerNorm.{end}', E)
model['generator_lm_head.weight'] = model['electra.embeddings.word_embeddings.weight']
put('generator_lm_head.bias', V)

folder = f'{here}/generator'
os.makedirs(folder, exist_ok=True)
torch.save(model, f'{folder}/pytorch_model.bin', _use_new_zipfile_serialization=False)
config = {
    'architectures': ['ElectraForMaskedLM'], 'attention_probs_dropout_prob': 0.1, 'embedding_size': E, 'hidden_act': 'gelu',
    'hidden_dropout_prob': 0.1, 'hidden_size': H, 'initializer_range': 0.02, 'intermediate_size': 1024,
    'layer_norm_eps': 1e-12, 'max_position_embeddings': P, 'model_type': 'electra', 'num_attention_heads': 2,
    'num_hidden_layers': 1, 'type_vocab_size': T, 'vocab_size': V,
}
json.dump(config, open(f'{folder}/config.json', 'w'), indent=2)
# The sum of every tensor, weighted by place, for the law to compare.
sums = {name: float((x.double().reshape(-1) * torch.arange(1, x.numel() + 1)).sum()) for name, x in model.items()}
json.dump(sums, open(f'{folder}/sums.json', 'w'), indent=2)
