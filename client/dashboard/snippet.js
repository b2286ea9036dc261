// The code that a page needs to record for a study, to be copied as it is.

/** The folder of the library's files on a site with plain HTML. */
export const FOLDER = "/affectograph/";

/** `isDecided`: the study says what is used of the camera, so the page says nothing. */
const lines = (call, server, study, key, isDecided) => [
  `const recorder = ${call}({`,
  `  server: ${JSON.stringify(server)},`,
  `  study: ${JSON.stringify(study)},`,
  `  key: ${JSON.stringify(key)},`,
  ...(isDecided ? [] : ["  camera: \"scores\","]),
  "});",
  "recorder.start();",
];

const script = (tag, code) => [tag, "<script>", ...code.map((line) => `  ${line}`), "</script>"].join("\n");

/**
 * `library`: the library that the server hosts.
 * @returns {{ hosted: string, html: string, module: string, end: string }} for plain HTML with the server's library, with a
 * copy of the library, for bundlers, and for the end of the study
 */
export const snippets = (server, study, key, library = null, isDecided = false) => ({
  hosted: library === null ? "" : script(
    `<script src="${server}${library.path}"\n  integrity="${library.integrity}" crossorigin="anonymous"></script>`,
    lines("affectograph.createRecorder", server, study, key, isDecided)),
  html: script(`<script src="${FOLDER}affectograph.min.js"></script>`, lines("affectograph.createRecorder", server, study, key, isDecided)),
  module: ["import { createRecorder } from \"affectograph\";", "", ...lines("createRecorder", server, study, key, isDecided)].join("\n"),
  end: [
    "const { completion } = await recorder.stop();",
    "if (completion?.code) showCode(completion.code);",
    "if (completion?.redirect) location.assign(completion.redirect);",
  ].join("\n"),
});

/** Links for recruiting services, which put the participant's identifier in the place of the placeholder. */
export const recruitingLinks = (address) => {
  const link = (placeholder) => {
    const [before, hash = ""] = address.split(/(?=#)/);
    return `${before}${before.includes("?") ? "&" : "?"}participant=${placeholder}${hash}`;
  };
  return [
    ["Prolific", link("{{%PROLIFIC_PID%}}")],
    ["SONA", link("%SURVEY_CODE%")],
    ["SurveyMonkey", link("[participant_value]")],
    ["One person", link("ANY-IDENTIFIER")],
  ];
};
