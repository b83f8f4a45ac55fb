'use strict';
// The contract of a client program, see tests/clients/SCENARIOS.md.

const { AssertionError } = require('node:assert');
const readline = require('node:readline');
const { inspect } = require('node:util');

const SCENARIO_LIMIT = 60_000;
// A scenario that ran out of its time gets this long to close its clients.
const CLOSING_LIMIT = 5_000;
const POLL_INTERVAL = 20;

class Unsupported extends Error {}

/** One run of one scenario. */
class Run {
  #runId;
  #scenario;
  #broker;
  #deferred = [];
  #isOver = false;

  constructor(scenario, bootstrap, runId, broker) {
    this.bootstrap = bootstrap;
    this.#scenario = scenario;
    this.#runId = runId;
    this.#broker = broker;
  }

  /** Runs the scenario to its end or its time limit and returns its result line. */
  async execute(body) {
    let line;
    try {
      await within(SCENARIO_LIMIT, 'the scenario to end', body(this));
      line = `PASS ${this.#scenario}`;
    } catch (error) {
      const word = error instanceof Unsupported ? 'UNSUPPORTED' : 'FAIL';
      if (word === 'FAIL') console.error(error);
      line = `${word} ${this.#scenario} ${oneLine(describe(error))}`;
    }
    this.#isOver = true;
    await within(CLOSING_LIMIT, 'the clients to close', this.#closeAll()).catch(error => console.error(error));
    return line;
  }

  async #closeAll() {
    while (this.#deferred.length > 0) {
      try {
        await this.#deferred.pop()();
      } catch (error) {
        console.error(error);
      }
    }
  }

  /** The name of a topic or group that belongs to this scenario of this run alone. */
  name(suffix) {
    return `${this.#runId}-${this.#scenario}-${suffix}`;
  }

  /** Calls closing when the scenario ends, the last one first. */
  defer(closing) {
    this.#deferred.push(closing);
  }

  unsupported(reason) {
    throw new Unsupported(reason);
  }

  restartBroker() {
    return this.#broker.ask('restart');
  }

  killBroker() {
    return this.#broker.ask('kill');
  }

  /** Waits for the condition, which may be asynchronous, and fails when it does not come true in time. */
  async until(limit, what, condition) {
    const deadline = Date.now() + limit;
    while (!(await condition())) {
      if (Date.now() > deadline || this.#isOver) throw new Error(`waited in vain for: ${what}`);
      await new Promise(resolve => setTimeout(resolve, POLL_INTERVAL));
    }
  }
}

/** Asks the process that started the program to stop and start the broker. */
class BrokerControl {
  #lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

  async ask(action) {
    console.log(`BROKER ${action}`);
    const { value } = await this.#lines.next();
    if (value !== 'READY') throw new Error(`answer to BROKER ${action} is ${value}`);
  }
}

async function main(scenarios) {
  const [bootstrap, runId, ...names] = process.argv.slice(2);
  const unknown = names.find(name => !(name in scenarios));
  if (!runId || unknown) {
    console.error(unknown ? `no scenario is called ${unknown}` : 'usage: run BOOTSTRAP RUN_ID [SCENARIO...]');
    process.exit(2);
  }
  // A scenario that ran out of its time may still fail afterwards, when nobody waits for it.
  process.on('unhandledRejection', error => console.error(error));
  const broker = new BrokerControl();
  for (const name of Object.keys(scenarios)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(await new Run(name, bootstrap, runId, broker).execute(scenarios[name]));
  }
  console.log('END');
  process.exit(0);
}

async function within(limit, what, promise) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limit} ms in vain for ${what}`)), limit);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** An assertion with a message of its own does not tell the values. */
function describe(error) {
  const message = String(error.message ?? error);
  if (!(error instanceof AssertionError) || error.generatedMessage || !error.operator.includes('qual')) return message;
  const show = what => inspect(what, { depth: 4, maxArrayLength: 20, maxStringLength: 100, breakLength: Infinity });
  return `${message}: got ${show(error.actual)}, want ${show(error.expected)}`;
}

function oneLine(text) {
  return text.split(/\s+/).join(' ').trim();
}

module.exports = { main };
