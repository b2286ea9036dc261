// The licence texts of the packages in node_modules that a bundle contains.

import { readFile, readdir } from 'node:fs/promises';

/** Licences that may be distributed with the program. The same policy as in deny.toml. */
const ALLOWED = new Set(['MIT', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', '0BSD', 'Zlib', 'CC0-1.0']);

/**
 * Copyright lines of packages that are published without a licence file. Their licence is MIT. The lines come from the
 * LICENSE file of their source repositories.
 */
const RRWEB = 'Copyright (c) 2018 Contributors (https://github.com/rrweb-io/rrweb/graphs/contributors)';
const MICROSOFT = 'Copyright (c) Microsoft Corporation';
const COPYRIGHT = {
  rrweb: RRWEB, rrdom: RRWEB, 'rrweb-snapshot': RRWEB, '@rrweb/types': RRWEB, '@rrweb/utils': RRWEB,
  'onnxruntime-web': MICROSOFT, 'onnxruntime-common': MICROSOFT,
};

/**
 * Published files can contain code of the package's dependencies, which esbuild does not report. All dependencies are
 * therefore listed, except where the package's source map shows that its file contains only these.
 */
const CONTAINS = { 'onnxruntime-web': ['onnxruntime-common'] };

/** For ONNX Runtime's WebAssembly file, which contains further C++ libraries. */
const REMARK = {
  'onnxruntime-web': (version) => 'The WebAssembly file contains the libraries listed in '
    + `https://github.com/microsoft/onnxruntime/blob/v${version}/ThirdPartyNotices.txt`,
};

/** `inputs` are paths below `root`, as esbuild's metafile names them. */
export const licenceTexts = async (root, inputs) => {
  const names = new Set();
  for (const input of inputs) {
    // Of nested packages, the innermost.
    const match = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  const packages = new Map();
  for (const name of names) {
    const about = JSON.parse(await readFile(`${root}node_modules/${name}/package.json`, 'utf8'));
    packages.set(name, about);
    // A Set may grow during its iteration: the dependencies follow.
    for (const dependency of CONTAINS[name] ?? Object.keys(about.dependencies ?? {})) {
      if (!dependency.startsWith('@types/')) names.add(dependency);
    }
  }
  const parts = ['The files in this folder contain code of the following packages.'];
  for (const [name, { version, license }] of [...packages].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!ALLOWED.has(license)) throw new Error(`${name} has the licence ${license}, which scripts/licences.mjs does not allow`);
    parts.push(`${'='.repeat(80)}\n${name} ${version} (${license})`, await textOf(root, name, license));
    if (REMARK[name]) parts.push(REMARK[name](version));
  }
  return `${parts.join('\n\n')}\n`;
};

const textOf = async (root, name, license) => {
  const folder = `${root}node_modules/${name}`;
  const files = (await readdir(folder)).filter((f) => /^(licen[cs]e|copying|notice|copyrightnotice)/i.test(f)).sort();
  if (files.length > 0) {
    return (await Promise.all(files.map((f) => readFile(`${folder}/${f}`, 'utf8')))).map((t) => t.trim()).join('\n\n');
  }
  if (license !== 'MIT' || !COPYRIGHT[name]) {
    throw new Error(`${name} has no licence file: add its copyright line to scripts/licences.mjs`);
  }
  const ours = await readFile(`${root}../LICENSE-MIT`, 'utf8');
  return ours.replace(/^Copyright .*$/m, COPYRIGHT[name]).trim();
};
