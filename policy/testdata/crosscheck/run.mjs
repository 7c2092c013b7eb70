// Answers questions of crosscheck_test.go with @cloud-copilot/iam-simulate, a program of
// its own that is not part of this repository. The argument is the directory that holds
// its node_modules. A question is a line of JSON on standard input, an answer a line on
// standard output.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

const require = createRequire(resolve(process.argv[2]) + '/')
const { runSimulation, runUnsafeSimulation } = require('@cloud-copilot/iam-simulate')
const words = { Allowed: 'allow', ExplicitlyDenied: 'explicitDeny', ImplicitlyDenied: 'implicitDeny' }
const named = (documents) => documents.map((document, i) => ({ name: String(i), policy: JSON.parse(document) }))

async function answer(q) {
  const simulation = {
    request: {
      principal: q.principal,
      action: q.action,
      resource: { resource: q.resource, accountId: q.account },
      contextVariables: q.context,
    },
    identityPolicies: named(q.identity),
    serviceControlPolicies: q.levels.map((level, i) => ({ orgIdentifier: String(i), policies: named(level) })),
    resourceControlPolicies: [],
    permissionBoundaryPolicies: q.boundary ? named(q.boundary) : undefined,
    resourcePolicy: q.attached ? JSON.parse(q.attached) : undefined,
  }
  // Without validation it takes any key and action, but no resource policy.
  if (!q.attached) return words[runUnsafeSimulation(simulation, {})]
  const result = await runSimulation(simulation, {})
  if (result.resultType === 'error') throw new Error(result.errors.message)
  return words[result.overallResult]
}

for await (const line of createInterface({ input: process.stdin })) {
  let out
  try {
    out = await answer(JSON.parse(line))
  } catch (e) {
    out = 'error: ' + String(e?.message ?? e).split('\n')[0]
  }
  process.stdout.write(out + '\n')
}
