/**
 * Preloaded into Spectral (`node --require`): a schema of one text is compiled once.
 *
 * Spectral copies the schema of every example and every default before it compiles it, so that ajv, which knows
 * schemas by identity, compiles that of the errors 1,400 times over. The validator of an equal schema is equal.
 */
"use strict";

const { createRequire } = require("node:module");

const { default: Ajv } = createRequire(process.argv[1])("ajv/dist/core");
const compile = Ajv.prototype.compile;
const validators = new WeakMap();

Ajv.prototype.compile = function (schema, meta) {
  if (typeof schema !== "object") return compile.call(this, schema, meta);
  if (!validators.has(this)) validators.set(this, new Map());
  const made = validators.get(this);
  const text = JSON.stringify([schema, meta]);
  if (!made.has(text)) made.set(text, compile.call(this, schema, meta));
  return made.get(text);
};
