// Run conformance vectors against an implementation: `node consume.js VECTORS -- COMMAND...`, after `tsc consume.ts`.
// COMMAND speaks JSON lines, as consume.py says. Write an adapter like `Service` for anything else. Needs Node only.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

type Value = string | boolean;
type Values = Record<string, Value>;
type Call = { action: string; arguments: Values };
type Vector = { id: string; shows: string; steps: Call[]; call: Call; rule?: string; post?: { returns: string[]; observations: Values } };
type Answer = { outcome: string; returns: string[]; reason?: string; observations: Values };

/** The implementation: a process that is asked one thing at a time. */
class Service {
  private readonly process;
  private readonly lines;

  constructor(command: string[]) {
    this.process = spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async ask(request: object): Promise<Answer> {
    this.process.stdin.write(JSON.stringify(request) + "\n");
    return JSON.parse((await this.lines.next()).value as string) as Answer;
  }

  end(): void {
    this.process.stdin.end();
  }
}

/** What is wrong, or undefined. */
async function run(implementation: Service, genesis: Values, vector: Vector): Promise<string | undefined> {
  await implementation.ask({ op: "reset" });
  for (const step of vector.steps) {
    const { outcome } = await implementation.ask({ op: "apply", ...step });
    if (outcome !== "accepted") return `${step.action}, a step before, must be accepted`;
  }
  let expected = (await implementation.ask({ op: "observe" })).observations;
  const answer = await implementation.ask({ op: "apply", ...vector.call });
  const after = (await implementation.ask({ op: "observe" })).observations;
  if (vector.post !== undefined) {
    if (answer.outcome !== "accepted") return `must be accepted, was rejected: ${answer.reason}`;
    if (answer.returns.join() !== vector.post.returns.join()) return `must return ${vector.post.returns}, returned ${answer.returns}`;
    expected = { ...genesis, ...vector.post.observations };
  } else if (answer.outcome !== "rejected") return `must be rejected by ${vector.rule}`;
  const wrong = Object.keys(expected).find((name) => after[name] !== expected[name]);
  return wrong && `${wrong} must be ${expected[wrong]}, is ${after[wrong]}`;
}

async function main(folder: string, command: string[]): Promise<void> {
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));
  const implementation = new Service(command);
  let passed = 0, failed = 0;
  for (const entry of read("manifest.json").files as { file: string }[]) {
    const document = read(entry.file) as { genesis: { observations: Values }; vectors: Vector[] };
    for (const vector of document.vectors) {
      const problem = await run(implementation, document.genesis.observations, vector);
      if (problem !== undefined) console.log(`${vector.id}: ${problem} (${vector.shows})`);
      if (problem === undefined) passed += 1;
      else failed += 1;
    }
  }
  implementation.end();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

const [folder, , ...command] = process.argv.slice(2);
void main(folder!, command);
