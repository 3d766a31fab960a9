/**
 * 1. Tensors. You will learn what everything in Amber is made of: an array of numbers with a shape, which never changes
 * once it is made. Operations are functions from tensors to tensors; shapes meet by one rule, broadcasting; and a shape
 * that does not fit is an error that says what to do. At the end, words become numbers: the first step of every language
 * model is a row looked up in a table.
 */
import { add, gather, live, matmul, mean, mul, scoped, softmax, sum, tensor } from '../lib/index.ts';
import { complaint, exercise, heading, lesson, say, show } from './course/lesson.ts';

await lesson('1. Tensors');

heading('Numbers with a shape');
say('A tensor is a list of numbers and a shape. Six numbers can be two rows of three, or three rows of two:');
const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
await show('x', x);
await show('y', tensor([1, 2, 3, 4, 5, 6], [3, 2]));

heading('Operations make new tensors');
say('add(x, x) and mul(x, 10) work element by element. They return a new tensor; x stays what it was.');
await show('add(x, x)', add(x, x));
await show('mul(x, 10)', mul(x, 10));
await show('x', x);

say(`sum(x, { axis: 1 }) adds up along axis 1, the columns, so one number a row is left. Axes are counted from 0, and
  negative ones from the end. Without an axis, everything is added up.`);
await show('sum(x, { axis: 1 })', sum(x, { axis: 1 }));
await show('mean(x, { axis: 0 })', mean(x, { axis: 0 }));
await show('sum(x)', sum(x));

heading('Broadcasting');
say(`A row of three can be added to both rows of x: shapes are aligned at the right, and an axis that is missing, or has
  size 1, is repeated. A column is a row's counterpart, with shape [2 1].`);
await show('row added', add(x, tensor([100, 200, 300])));
await show('column added', add(x, tensor([100, 200], [2, 1])));

heading('Matrix products');
say(`matmul(a, b) multiplies rows by columns: element (r, c) is the sum over k of a[r, k] · b[k, c]. So the inner sizes must
  agree: [2 3] times [3 2] gives [2 2]. When they do not, the error names both:`);
await show('matmul(x, y)', matmul(x, tensor([1, 0, 0, 1, 1, 1], [3, 2])));
console.log(`  matmul(x, x) throws: ${await complaint(() => matmul(x, x))}`);

heading('A shape now, the numbers soon');
say(`Calling an operation only writes it down; the device works behind your back. The shape is known at once. Reading the
  numbers is the one thing that must be awaited: await x.data(), or await x.item() for a single number.`);
const total = sum(mul(x, x));
console.log(`  sum(mul(x, x)) is ${total} at once, and ${await total.item()} when it has been awaited`);

say(`Nobody frees tensors by hand. What is made inside scoped(() => …) is freed when it ends, all but what it returns. Here a
  thousand additions make a thousand tensors; how many buffers are alive before and after?`);
const before = live();
const sum1000 = scoped(() => Array.from({ length: 1000 }).reduce<typeof x>((y) => add(y, 1), x));
console.log(`  ${before} before, ${live()} after: the result, whose first element is ${(await sum1000.data())[0]}`);

heading('Words are rows of a table');
say(`Give each word a number, its id (dtype 'i32'), and keep a table with a row of numbers for each. gather(table, ids) looks
  the rows up. That is an embedding. With the vocabulary 0 = the, 1 = cat, 2 = sat, the sentence "the cat sat the" is:`);
const words = tensor([0.1, 0.2, 0.9, -0.5, -0.3, 0.8], [3, 2]);
const sentence = gather(words, tensor([0, 1, 2, 0], [4], 'i32'));
await show('sentence', sentence);
say('How alike are its words? The products of all pairs say it, and softmax turns each row into shares that sum to 1:');
await show('alike', softmax(matmul(sentence, sentence, { transposeB: true })));
say('With that you have seen, in one line, the heart of attention. Lesson 6 builds a model of it.');

exercise(
  '01-tensors',
  `Write standardise(x): for x of shape [b c], each row shifted to mean 0 and scaled to variance 1, with mean,
  sub, square, sqrt and div alone (keepDims: true keeps a column that broadcasts). It is the core of layer norm, and the
  law compares it with the library's layerNorm.`,
);
