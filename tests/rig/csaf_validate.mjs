// Validates CSAF documents with the validator of the Secvisogram project: the schema, and every mandatory test of CSAF 2.0 (6.1).
//
//     node csaf_validate.mjs FILE...      from the folder that has node_modules
//
// Prints a line for each error; exits with 1 where there is one.

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import path from 'node:path'

const require = createRequire(path.join(process.cwd(), 'package.json'))
const load = (name) => import(pathToFileURL(require.resolve(`@secvisogram/csaf-validator-lib/${name}.js`)))
const validate = (await load('validate')).default
const schema = await load('schemaTests')
const mandatory = await load('mandatoryTests')
const tests = [schema.csaf_2_0_strict ?? schema.csaf_2_0, ...Object.values(mandatory).filter((test) => typeof test === 'function')]

let failed = false
for (const file of process.argv.slice(2)) {
  const result = await validate(tests, JSON.parse(readFileSync(file, 'utf8')))
  for (const test of result.tests) {
    for (const error of test.errors) {
      failed = true
      console.log(`${file}: ${test.name}: ${error.instancePath}: ${error.message}`)
    }
  }
  console.log(`${file}: ${result.tests.length} tests`)
}
process.exit(failed ? 1 : 0)
