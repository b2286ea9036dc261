// The code that a page needs to record for a study, to be copied as it is.

/** The folder of the library's files on a site with plain HTML. */
export const FOLDER = "/affectograph/";

const lines = (call, server, study, key) => [
  `const recorder = ${call}({`,
  `  server: ${JSON.stringify(server)},`,
  `  study: ${JSON.stringify(study)},`,
  `  key: ${JSON.stringify(key)},`,
  "  camera: \"scores\",",
  "});",
  "recorder.start();",
];

/** @returns {{ html: string, module: string }} for plain HTML and for bundlers */
export const snippets = (server, study, key) => ({
  html: [
    `<script src="${FOLDER}affectograph.min.js"></script>`,
    "<script>",
    ...lines("affectograph.createRecorder", server, study, key).map((line) => `  ${line}`),
    "</script>",
  ].join("\n"),
  module: ["import { createRecorder } from \"affectograph\";", "", ...lines("createRecorder", server, study, key)].join("\n"),
});
