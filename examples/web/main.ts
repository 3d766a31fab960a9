/**
 * The page: it hands the text to the trainer, a worker, and shows what comes back. Curves, words and colours are those
 * of a run's report. A new start is a new worker.
 */
import type { DeviceName } from '../../lib/index.ts';
import { count } from '../report/format.ts';
import type { PaintedSample } from '../report/sample.ts';
import { style } from '../report/style.ts';
import { renderSamples } from '../report/words.ts';
import { renderCurves } from './curves.ts';
import type { FromTrainer, Point, Size, ToTrainer } from './messages.ts';
import './page.css';
import { LINCOLN } from './text.ts';

/** Milliseconds between two drawings of the curves. */
const REDRAW = 500;

const sheet = document.createElement('style');
sheet.textContent = style;
document.head.prepend(sheet);

const element = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E;
const text = element<HTMLTextAreaElement>('text');
const size = element<HTMLSelectElement>('size');
const device = element<HTMLSelectElement>('device');
const [start, pause, step] = ['start', 'pause', 'step'].map((id) => element<HTMLButtonElement>(id));
const [status, error] = ['status', 'error'].map((id) => element(id));

let trainer: Worker | undefined;
let points: Point[] = [];
let samples: PaintedSample[] = [];
let unigramLoss = NaN;

const say = (message: string): void => {
  status.textContent = message;
};

let drawing: ReturnType<typeof setTimeout> | undefined;
/** Draws the curves soon; often enough to be live, seldom enough to cost nothing. */
const drawSoon = (): void => {
  drawing ??= setTimeout(() => {
    drawing = undefined;
    element('charts').innerHTML = renderCurves(points, unigramLoss);
  }, REDRAW);
};

/** What the buttons say and allow: nothing yet, running, or paused. */
const show = (state: 'new' | 'running' | 'paused'): void => {
  start.textContent = state === 'new' ? 'Start' : 'Start over';
  pause.textContent = state === 'paused' ? 'Go on' : 'Pause';
  pause.disabled = state === 'new';
  step.disabled = state === 'running';
  document.body.dataset.state = state;
};

const fail = (message: string): void => {
  error.textContent = message;
  error.hidden = false;
  say('Nothing runs.');
  trainer?.terminate();
  trainer = undefined;
  show('new');
};

const hear = (message: FromTrainer): void => {
  switch (message.kind) {
    case 'doing':
      say(message.what);
      break;
    case 'begun':
      unigramLoss = message.unigramLoss;
      say(
        `Computing on ${message.device}: ${count(message.parameters)} parameters, ${count(message.vocabulary)} tokens in the vocabulary, ${count(message.examples)} examples.`,
      );
      break;
    case 'step':
      points.push(message.point);
      element('steps').textContent = count(message.point.step);
      element('speed').textContent = count(message.speed);
      drawSoon();
      break;
    case 'measured': {
      const { point, words } = message;
      points.push(point);
      samples = [...samples.slice(0, 1), { step: point.step, words }];
      element('gain').textContent = (unigramLoss - point.mlmMaskedLoss!).toFixed(2).replace('-', '−');
      element('auc').textContent = point.rtdAuc!.toFixed(2);
      element('sentence').innerHTML = renderSamples(samples);
      drawSoon();
      break;
    }
    case 'paused':
      show('paused');
      break;
    case 'failed':
      fail(message.message);
  }
};

const tell = (message: ToTrainer): void => trainer?.postMessage(message);

/** Starts a new model and does so many steps. */
const begin = (steps: number): void => {
  trainer?.terminate();
  [points, samples] = [[], []];
  error.hidden = true;
  ['sentence', 'charts'].forEach((id) => element(id).replaceChildren());
  ['speed', 'gain', 'auc'].forEach((id) => (element(id).textContent = '–'));
  element('steps').textContent = '0';
  trainer = new Worker(new URL('./trainer.ts', import.meta.url), { type: 'module', name: 'trainer' });
  trainer.onmessage = ({ data }: MessageEvent<FromTrainer>) => hear(data);
  trainer.onerror = ({ message }) => fail(`The trainer stopped: ${message}`);
  tell({ kind: 'begin', text: text.value, size: size.value as Size, device: (device.value || undefined) as DeviceName | undefined });
  tell({ kind: 'go', steps });
  show('running');
};

element<HTMLFormElement>('form').onsubmit = (event) => {
  event.preventDefault();
  begin(Infinity);
};
pause.onclick = () => {
  if (document.body.dataset.state === 'running') return tell({ kind: 'pause' });
  show('running');
  tell({ kind: 'go', steps: Infinity });
};
step.onclick = () => {
  if (trainer === undefined) return begin(1);
  show('running');
  tell({ kind: 'go', steps: 1 });
};
text.oninput = () => {
  element('length').textContent = `(${count(text.value.length)} characters)`;
};

text.value = LINCOLN;
text.dispatchEvent(new Event('input'));
show('new');
