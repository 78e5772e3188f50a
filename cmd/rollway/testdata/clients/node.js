// Runs what a client library can ask of a record store in Node: node node.js SCRIPT LIBRARY CONFIG, where CONFIG is JSON.
// Prints the steps, or says what failed and ends with 1.
const [script, library, config] = process.argv.slice(2);
const loaded = require(library);
const whole = require(script);
whole(loaded.default ?? loaded, JSON.parse(config)).then((steps) => console.log(JSON.stringify(steps)), (e) => {
  console.error(e?.response?.data ? JSON.stringify(e.response.data) : e?.stack ?? e);
  process.exit(1);
});
