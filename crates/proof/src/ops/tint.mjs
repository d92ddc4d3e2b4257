// Hands kernels to Tint, through a WebGPU device that runs nothing. node tint.mjs FOLDER, where FOLDER/node_modules has the package
// `webgpu`; a line of JSON in, `{entry, text}`, is a line of JSON out: null, or why it is refused.
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { create, globals } = await import(pathToFileURL(resolve(process.argv[2], 'node_modules/webgpu/index.js')));
Object.assign(globalThis, globals);
// Whatever has been made needs it until the end.
const gpu = create(['backend=null']);
const adapter = await gpu.requestAdapter();
const features = ['subgroups'].filter((feature) => adapter.features.has(feature));
const device = await adapter.requestDevice({ requiredFeatures: features });

async function refusal({ entry, text }) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code: text });
  const { messages } = await module.getCompilationInfo();
  await device.popErrorScope();
  const error = messages.find((message) => message.type === 'error');
  if (error) return `line ${error.lineNum}: ${error.message}`;
  const compiled = device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: entry } });
  return compiled.then(() => null, (error) => error.message);
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await refusal(JSON.parse(line))));
process.exit(0);
