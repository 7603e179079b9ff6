// ONNX Runtime's side of the comparison: predictions of the denoiser. onnxruntime_worker.js FILE.onnx; threads:
// OMP_NUM_THREADS. The package onnxruntime-node must be where node finds it (NODE_PATH).
const ort = require('onnxruntime-node');
const readline = require('readline');

const now = () => Number(process.hrtime.bigint()) * 1e-9;

async function medianTime(call, seconds) {
  const times = [];
  await call();
  const start = now();
  let before = start;
  while (times.length < 3 || before - start < seconds) {
    await call();
    const after = now();
    times.push(after - before);
    before = after;
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

async function main() {
  const session = await ort.InferenceSession.create(process.argv[2], {
    intraOpNumThreads: Number(process.env.OMP_NUM_THREADS || 1),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const words = line.split(' ');
    if (words[0] !== 'predict' || words[1] !== 'denoiser') {
      console.log('-');
      continue;
    }
    const batch = Number(words[2]);
    const numbers = Float32Array.from({ length: batch * 784 }, (_, i) => (i % 97) / 97);
    const x = new ort.Tensor('float32', numbers, [batch, 1, 28, 28]);
    console.log((await medianTime(() => session.run({ x }), Number(words[3]))).toPrecision(9));
  }
}

main();
