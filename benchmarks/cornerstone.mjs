// Cornerstone3D's largest bidirectional, timed on outlines: the run of benchmarks/measure.py that names its package.
//
//   node benchmarks/cornerstone.mjs DIRECTORY < cases.json > results.json
//
// DIRECTORY holds node_modules with @cornerstonejs/tools. cases: [{width, height, spacing, mask: [0, 1, ...] by rows,
// points: [[x, y, 0], ...] of the outlines, mm}]. results: [{mm, minor, ms: [...]}]. Making the outlines is not timed.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = resolve(process.argv[2], "node_modules/@cornerstonejs/tools/dist/esm/utilities/segmentation");
const load = (name) => import(pathToFileURL(resolve(folder, name)));
const { createBidirectionalForSlice } = await load("findLargestBidirectional.js");
const { createIsInSegmentMetadata } = await load("isLineInSegment.js");
const TURNS = 5;

const results = JSON.parse(readFileSync(0, "utf8")).map(({ width, height, spacing, mask, points }) => {
  const inside = createIsInSegmentMetadata({
    dimensions: [width, height, 1],
    imageData: { worldToIndex: ([x, y, z]) => [x / spacing, y / spacing, z] },
    voxelManager: { getAtIndex: (index) => mask[index] },
    segmentIndex: 1,
  });
  const run = () => createBidirectionalForSlice({ polyData: { points } }, inside);
  let found = run();
  const ms = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const began = process.cpuUsage();
    found = run();
    const used = process.cpuUsage(began);
    ms.push((used.user + used.system) / 1000);
  }
  return { mm: found?.maxMajor ?? null, minor: found?.maxMinor ?? null, ms };
});
process.stdout.write(JSON.stringify(results), () => process.exit(0));
