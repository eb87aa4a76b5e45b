// The parts of the method as smallest models around a block of the standard library: the texts that parts.test.ts holds against test/oracle/parts.py.
// Tensors have the paths that the oracle gives them. Where a part takes two maps, both are cut from the one image that a model has.
import { nodeOf, type Graph, type Node, type NodeId } from '../../compiler/ir/graph.js';

export interface Part {
  readonly text: string;
  /** Which graph, where it is not that of training. `use`: normalisation by running statistics, a hard gate. `init`: what the one drawn state begins as. */
  readonly graph?: 'use' | 'init';
  /** Where values of the golden stand that are neither results of the model nor states: by their names. */
  readonly nodes?: Readonly<Record<string, (graph: Graph) => NodeId>>;
}

const inside = (node: Node, path: string): boolean => node.path === path || node.path.startsWith(`${path}.`);

/** The last value made in an instance. */
const made = (path: string) => (graph: Graph): NodeId => {
  const last = [...graph.nodes.values()].filter((n) => inside(n, path)).at(-1);
  if (last === undefined) throw new Error(`nothing is made in ${path}`);
  return last.id;
};
/** The values of other instances that an instance takes, in the order of their first use. */
const taken = (path: string, place: number) => (graph: Graph): NodeId => {
  const foreign = (id: NodeId): boolean => { const node = nodeOf(graph, id); return node.op !== 'constant' && !inside(node, path); };
  const id = [...new Set([...graph.nodes.values()].filter((n) => inside(n, path)).flatMap((n) => n.inputs.filter(foreign)))][place];
  if (id === undefined) throw new Error(`${path} takes fewer than ${place + 1} values`);
  return id;
};
/** The first use of an op in an instance itself, not in those within it. */
const first = (op: string, path: string) => (graph: Graph): Node => {
  const node = [...graph.nodes.values()].find((n) => n.op === op && n.path === path);
  if (node === undefined) throw new Error(`no ${op} in ${path}`);
  return node;
};

interface Model { readonly image: string; readonly body: string; readonly results: Readonly<Record<string, string>>; readonly from: string; readonly task?: boolean; readonly loss?: string }

/** A model over `image`, its results by name (`logits` is made of the image where it is none of them), and a train block. */
function model({ image, body, results, from, task = false, loss = 'mean(logits * logits, axes: [1, 2, 3]) |> reshape([B])' }: Model): string {
  const size = image.split(', ').slice(1).join(', ');
  const fields = Object.keys(results).map((name) => `, ${name}: f32`).join('');
  return `edition 1
${from}
tasks three { A "a", B "b", C "c" }
model M(image: f32[B, ${image}]${task ? ', t: task of three' : ''}) -> { logits: f32[B, 1, ${size}]${fields} } {
  ${body}
  let logits = 4.0 * image[:, 0:1]
  return { logits: logits${Object.entries(results).map(([name, e]) => `, ${name}: ${e}`).join('')} }
}
train main of M {
  loss = ${loss}
  optimizer = adam(lr: 1e-3)
  ${task ? 'sampler = shuffle(one_task: true)' : 'sampler = shuffle'}
  epochs = 1, batch = 4
}
`;
}

const DECODER_NODES: Part['nodes'] = {
  'f': made('d.join'), 's': made('d.scale'), 'A': made('d.attend'), 'Z': made('d.condition'), 'raw': made('d.generate'), 'w': (graph) => first('softmax', 'd')(graph).id,
  "f'": taken('d.depthwise', 0), 'K': taken('d.depthwise', 1), 'd': (graph) => first('sigmoid', 'd')(graph).inputs[0]!, 'y': made('d.depthwise'),
};
const decoder = (choices: string, from: string): Part => ({
  nodes: DECODER_NODES,
  text: model({
    from, image: '32, 18, 14', task: true, body: `decoder d = pgtd(t, 16${choices})(image[:, 0:12, 0:9, 0:7], image[:, 12:32, 0:5, 0:4])`, results: { own: 'd.logits' },
  }),
});

const adapter = (expression: string, body = ''): Part => ({
  text: model({ from: 'from std.peft import bottleneck, plain, prompt, residual, route, scaled, task_scales\nfrom std.gate import cumulative_sigmoid', image: '12, 6, 5', task: true, body: `${body}\n  layer tca = ${expression}`, results: { y: 'tca(image |> channels_last)' } }),
});
const GATE_OF_ADAPTER = `let own = { logits: per t param f32[6] init zeros }
  let g = cumulative_sigmoid(4.0 * own.logits, 0.5)`;

const field = (block: string): string => model({ from: `from std.pgtd import ${block}`, image: '6, 10, 8', body: `layer field = ${block}(8)`, results: { y: 'field(image)' } });
const UP = model({ from: 'from std.unet import up_decoder', image: '16, 10, 8', body: 'layer d = up_decoder(8)\n  let r = d(image[:, 0:8], image[:, 8:16, 0:5, 0:4])', results: { y: 'r.feature', own: 'r.logits' } });

const LAWS: Readonly<Record<string, string>> = { pooled: 'pooled(0.9)', banded: 'pooled(0.9, sides: banded_sides)', sequential: 'sequential(0.995)', quick: 'sequential(0.9)' };
const prototypesOf = (laws: readonly (readonly [string, string])[], features: string): string => [
  `let s = ${features}`,
  ...laws.map(([name, law]) => `prototypes proto_${name} per t: f32[2, 16] {\n    init = zeros([2, 16])\n    update = ${law}(proto_${name}, s, truth)\n  }`),
].join('\n  ');
const reads = (laws: readonly (readonly [string, string])[]): Readonly<Record<string, string>> => Object.fromEntries(laws.map(([name]) => [`read_${name}`, `proto_${name} * 1.0`]));
const memory = (image: string, features: string, laws: readonly (readonly [string, string])[]): Part => ({
  text: model({ from: 'from std.prototypes import banded_sides, pooled, sequential', image, task: true, body: prototypesOf(laws, features), results: reads(laws) }),
});

const TEMPERATURES = ['1.0', '0.65', '0.3', '0.05'];
const LAWS_OF_GATE: Readonly<Record<string, (logits: string, tem: string) => string>> = {
  ...Object.fromEntries(['cumulative_sigmoid', 'cumulative_softmax', 'hazard', 'position', 'naive_cumulative'].map((law) => [law, (l: string, tem: string) => `${law}(${l}, ${tem})`])),
  independent: (l, tem) => `independent(closed: 3)((${l})[3:12], ${tem})`,
  clamped: (l, tem) => `clamped(cumulative_sigmoid)(${l}, ${tem})`,
  hard_outside_training: (l, tem) => `hard_outside_training(cumulative_sigmoid)(${l}, ${tem})`,
};
const gatesOf = Object.entries(LAWS_OF_GATE).flatMap(([law, call]) => TEMPERATURES.map((tem, i): [string, string] => [`${law}_${i}`, call(`4.0 * ${law}_${i}`, tem)]));
const GATES = model({
  from: 'from std.gate import clamped, cumulative_sigmoid, cumulative_softmax, fixed_split, hard_outside_training, hazard, independent, naive_cumulative, position',
  image: '1, 4, 4', body: gatesOf.map(([name]) => `param ${name}: f32[12] init zeros`).join('\n  '),
  results: { ...Object.fromEntries(gatesOf.map(([name, call]) => [`${name}_g`, call])), fixed_g: 'fixed_split(12, at: 5)()' },
});
const ROWS = [0, 1, 2];
const GATE_TERMS = model({
  from: 'from std.gate import alike, falls, indecision, too_cold, undecided', image: '1, 4, 4',
  body: 'param gates: f32[3, 8] init zeros\n  param temperature: f32[] init zeros\n  let g = sigmoid(6.0 * gates)',
  results: {
    temperature_term: 'too_cold(0.8)(temperature)', diversity: 'alike(g)',
    ...Object.fromEntries(ROWS.flatMap((k) => [
      [`hinge_${k}`, `falls(0.15)(g[${k}])`], [`sparsity_${k}`, `indecision(g[${k}])`], [`exploration_${k}`, `undecided(2, 6)(g[${k}])`], [`loss_guided_${k}`, `undecided(2, 6, slope: 1.0)(g[${k}])`],
    ])),
  },
});

const ofLogits = (law: string, z: string): Part => ({ text: model({ from: `from std.loss import ${law}`, image: '1, 40, 36', body: `let z = 4.0 * ${z}`, results: {}, loss: `${law}(z, truth)` }) });
const ofPrototypes = (loss: string): Part => ({
  text: model({
    from: `from std.loss import ${loss.slice(0, loss.indexOf('('))}\nfrom std.prototypes import pooled`, image: '16, 18, 14', task: true, loss,
    body: prototypesOf([['', 'pooled(0.9)']], 'image[:, :, 0:9, 0:7]').replaceAll('proto_', 'proto'), results: {},
  }),
});

export const PARTS: Readonly<Record<string, Part>> = {
  rfb: { text: field('receptive_field') },
  rfb_batch: { text: field('receptive_field_batch') },
  rfb_batch_used: { text: field('receptive_field_batch'), graph: 'use' },
  up: { text: UP },
  up_used: { text: UP, graph: 'use' },
  adapter: adapter('route(shared: bottleneck(5), specific: per t bottleneck(5), weight: g[3], scale: per t scaled())', GATE_OF_ADAPTER),
  adapter_other_task: adapter('route(shared: bottleneck(5), specific: per t bottleneck(5), weight: g[3], scale: per t scaled())', GATE_OF_ADAPTER),
  adapter_released: adapter('residual(per t bottleneck(5), scale: task_scales(t))'),
  adapter_sam2unet: adapter('plain(prompt(5))'),
  decoder: decoder('', 'from std.pgtd import pgtd'),
  decoder_other_task: decoder('', 'from std.pgtd import pgtd'),
  decoder_released: decoder(', centre: in_batch, head_form: channel_head, law: sequential(0.995)', 'from std.pgtd import channel_head, in_batch, pgtd\nfrom std.prototypes import sequential'),
  beginning: { ...decoder('', 'from std.pgtd import pgtd'), graph: 'init', nodes: { P: (graph) => graph.outputs[0]!.id } },
  memory: memory('16, 18, 14', 'image[:, :, 0:9, 0:8]', Object.entries(LAWS)),
  memory_whole: memory('16, 12, 10', 'image', [['pooled', 'pooled(0.9)'], ['sequential', 'sequential(0.9)']]),
  gates: { text: GATES },
  gates_used: { text: GATES, graph: 'use' },
  gate_terms: { text: GATE_TERMS },
  structure: ofLogits('structure', 'image[:, 0:1, 0:10, 0:9]'),
  structure_same_size: ofLogits('structure', 'image[:, 0:1]'),
  structure_iou: ofLogits('structure_iou', 'image[:, 0:1, 0:10, 0:9]'),
  structure_iou_same_size: ofLogits('structure_iou', 'image[:, 0:1]'),
  infonce: ofPrototypes('infonce(0.1)(s, proto, proto[*], truth)'),
  side_margin: ofPrototypes('side_margin(-0.3)(s, proto, truth)'),
  side_margin_pooled: ofPrototypes('side_margin(-0.3, pooled: true)(s, proto, truth)'),
  prototype_cosine: ofPrototypes('prototype_cosine(proto, truth) + 0.0 * (mean(logits, axes: [1, 2, 3]) |> reshape([B]))'),
};
