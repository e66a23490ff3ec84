// Judges plans with ajv, as js-yaml reads them: one line of JSON a plan on stdout,
//     {"path": ..., "valid": true|false|null, "faults": [...], "plan": what was read, if valid}
// valid is null when the text is no YAML. Usage: node judge.mjs SCHEMA PLAN...
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

// The packages lie where `npm ci` put them, not beside this file.
const require = createRequire(path.join(process.cwd(), 'package.json'));
const Ajv = require('ajv');
const yaml = require('js-yaml');

const [schemaFile, ...plans] = process.argv.slice(2);
const ajv = new Ajv({allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true});
const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')));

for (const file of plans) {
  const verdict = {path: file, valid: null, faults: [], plan: null};
  try {
    // As YAML 1.2's JSON schema reads it: no dates, no other spellings of booleans and numbers.
    const plan = yaml.load(readFileSync(file, 'utf8'));
    verdict.valid = validate(plan);
    verdict.plan = verdict.valid ? plan : null; // an alias bomb would be written out in full
    verdict.faults = (validate.errors ?? []).map((error) => `${error.instancePath}: ${error.message}`);
  } catch (error) {
    // A RangeError is the end of the stack: 200 kB of brackets.
    if (error.name !== 'YAMLException' && !(error instanceof RangeError)) {
      throw error;
    }
    verdict.faults = [error.message];
  }
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
}
