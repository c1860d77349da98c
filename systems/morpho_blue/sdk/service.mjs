// Morpho's own off-chain implementation, @morpho-org/blue-sdk, as a service over JSON lines: see targets/subprocess.py.
//
// It keeps markets and positions and lets the SDK do every computation. What the SDK does not have is added here, and
// only this: the credit of fee shares to the recipient's position, and the rate of the package's IrmMock, which the
// SDK's own utilization and accrued interest turn into an accrual. Of a liquidation the SDK computes the amounts; it
// has nothing that executes one, so `liquidate` is a quote.

import { readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { sep } from "node:path";

// One line on standard error is what the other side shows; Node's own last line would be its version.
process.on("uncaughtException", (error) => {
  writeSync(2, `${error.constructor.name}: ${error.message.split("\n")[0]}\n`);
  process.exit(1);
});

// From the working directory upwards: this file may be installed far from the project whose node_modules hold the SDK.
const require = createRequire(process.cwd() + sep);
const { AccrualPosition, BlueErrors, DivisionByZeroError, Market, MarketParams, MarketUtils, SECONDS_PER_YEAR } =
  require("@morpho-org/blue-sdk");

const QUOTES = ["liquidate"];

// --- State, by the model's names -------------------------------------------------------------------------------------

const MARKET_KEYS = {
  total_supply_assets: "totalSupplyAssets",
  total_supply_shares: "totalSupplyShares",
  total_borrow_assets: "totalBorrowAssets",
  total_borrow_shares: "totalBorrowShares",
  last_update: "lastUpdate",
  fee: "fee",
};
const POSITION_KEYS = { supply_shares: "supplyShares", borrow_shares: "borrowShares", collateral: "collateral" };
const NAME = /^(\w+)(?:\[(\w+)\])?(?:\[(\w+)\])?(?:\.(\w+))?$/;

const world = { now: 0n, fee_recipient: "" };
const irms = {}; // market -> the model's name of its interest rate model
const markets = {}; // market -> the fields of an SDK Market
const positions = {}; // market -> account -> the fields of an SDK Position
const observations = new Map(); // name -> [object, key] of a quantity that the SDK computes
const inputs = new Map(); // the same of one that it only reads
const known = new Map(); // observation -> the value that the other side knows

// The SDK hashes addresses into market ids and names them in errors; it never looks at them otherwise.
const address = (identifier) => `0x${Buffer.from(identifier).toString("hex").padStart(40, "0")}`;

function describe({ constants, variables }) {
  const params = {};
  for (const [name, value] of Object.entries(constants)) {
    const [, , id, , key] = NAME.exec(name);
    (params[id] ??= {})[key] = value;
  }
  for (const [id, { loan_token, collateral_token, irm, lltv }] of Object.entries(params)) {
    const [loanToken, collateralToken, oracle] = [loan_token, collateral_token, id].map(address);
    irms[id] = irm;
    markets[id] = { params: new MarketParams({ loanToken, collateralToken, oracle, irm: address(irm), lltv }) };
    positions[id] = {};
  }
  for (const name of variables) {
    const [, field, id, account, key] = NAME.exec(name);
    if (field in world) inputs.set(name, [world, field]);
    else if (field === "price") inputs.set(name, [markets[id], "price"]);
    else if (field === "markets") observations.set(name, [markets[id], MARKET_KEYS[key]]);
    else if (field === "positions")
      observations.set(name, [(positions[id][account] ??= { user: address(account) }), POSITION_KEYS[key]]);
  }
  return {
    name: `@morpho-org/blue-sdk ${version()}`,
    actions: Object.keys(EXECUTE),
    quotes: QUOTES,
    observations: [...observations.keys()],
    inputs: [...inputs.keys()],
  };
}

/** The SDK exports no version and no package.json, but it lies in the folder of that name. */
function version() {
  const folder = require.resolve("@morpho-org/blue-sdk").split(`${sep}lib${sep}`)[0];
  return require(`${folder}${sep}package.json`).version;
}

function load({ state }) {
  for (const [name, value] of Object.entries(state)) {
    const [object, key] = observations.get(name) ?? inputs.get(name);
    object[key] = name === "fee_recipient" ? value : BigInt(value);
    if (observations.has(name)) known.set(name, object[key]);
  }
  return {};
}

function observe() {
  const values = {};
  for (const [name, [object, key]] of observations) values[name] = `${object[key]}`;
  return { observations: values };
}

function changed() {
  const news = {};
  for (const [name, [object, key]] of observations) {
    const value = object[key];
    if (value === known.get(name)) continue;
    known.set(name, value);
    news[name] = `${value}`;
  }
  return news;
}

// --- Actions ---------------------------------------------------------------------------------------------------------

/** A market with interest up to now, and the fee shares that this mints. */
function accrue(id) {
  const market = new Market(markets[id]);
  if (irms[id] === "none") return { market: market.accrueInterest(world.now), feeShares: 0n };
  const rate = market.utilization / SECONDS_PER_YEAR;
  const { interest, feeShares } = MarketUtils.getAccruedInterest(rate, market, world.now - market.lastUpdate);
  market.totalSupplyAssets += interest;
  market.totalBorrowAssets += interest;
  market.totalSupplyShares += feeShares;
  market.lastUpdate = world.now;
  return { market, feeShares };
}

/** A position as it is when interest has accrued: the fee recipient's has grown. */
function holding(id, account, { market, feeShares }) {
  const position = new AccrualPosition(positions[id][account], market);
  if (account === world.fee_recipient) position.supplyShares += feeShares;
  return position;
}

/** Interest has accrued and `position` is what has become of `account`. Nothing is kept before an action succeeds. */
function keep(id, account, position, accrued) {
  if (accrued) positions[id][world.fee_recipient].supplyShares += accrued.feeShares;
  for (const key of Object.values(POSITION_KEYS)) positions[id][account][key] = position[key];
  for (const key of Object.values(MARKET_KEYS)) markets[id][key] = position.market[key];
}

function act(action, { market: id, on_behalf: account, assets, shares }) {
  const accrued = accrue(id);
  const done = holding(id, account, accrued)[action](BigInt(assets), BigInt(shares), world.now);
  keep(id, account, done.position, accrued);
  return [done.assets, done.shares];
}

const EXECUTE = {
  supply: (given) => act("supply", given),
  withdraw: (given) => act("withdraw", given),
  borrow: (given) => act("borrow", given),
  repay: (given) => act("repay", given),
  supply_collateral({ market: id, on_behalf: account, assets }) {
    const position = new AccrualPosition(positions[id][account], new Market(markets[id]));
    keep(id, account, position.supplyCollateral(BigInt(assets)));
    return [];
  },
  withdraw_collateral({ market: id, on_behalf: account, assets }) {
    const accrued = accrue(id);
    keep(id, account, holding(id, account, accrued).withdrawCollateral(BigInt(assets), world.now), accrued);
    return [];
  },
  accrue_interest({ market: id }) {
    const accrued = accrue(id);
    keep(id, world.fee_recipient, holding(id, world.fee_recipient, accrued), accrued);
    return [];
  },
  liquidate({ market: id, borrower, seized_assets, repaid_shares }) {
    const accrued = accrue(id);
    const { market } = accrued;
    if (!holding(id, borrower, accrued).isLiquidatable) throw new Healthy();
    let [seized, repaid] = [BigInt(seized_assets), BigInt(repaid_shares)];
    if (seized > 0n) repaid = market.getLiquidationRepaidShares(seized);
    else seized = market.getLiquidationSeizedAssets(repaid);
    return [seized, market.toBorrowAssets(repaid, "Up")];
  },
};

/** The SDK answers `isLiquidatable` with false instead of throwing. */
class Healthy extends Error {}

const REFUSALS = [...Object.values(BlueErrors), DivisionByZeroError, Healthy];

function apply({ action, arguments: given }) {
  try {
    const returns = EXECUTE[action](given).map(String);
    return { outcome: "accepted", returns, changed: changed() };
  } catch (error) {
    // By the constructor: the SDK's classes do not set `error.name`. Anything else is a fault, and ends us.
    if (!REFUSALS.includes(error.constructor)) throw error;
    return { outcome: "rejected", reason: error.constructor.name, changed: changed() };
  }
}

// --- Lines -----------------------------------------------------------------------------------------------------------

const OPERATIONS = { describe, load, apply, observe };
const chunk = Buffer.alloc(1 << 16);

// Synchronous reads: one request is under way at a time, and waiting in `read` answers sooner than the event loop does.
let received = "";
for (let size; (size = readSync(0, chunk)) > 0; ) {
  received += chunk.toString("latin1", 0, size); // JSON from the other side is ASCII
  for (let end; (end = received.indexOf("\n")) >= 0; received = received.slice(end + 1)) {
    const request = JSON.parse(received.slice(0, end));
    const answer = Buffer.from(`${JSON.stringify(OPERATIONS[request.op](request))}\n`);
    for (let sent = 0; sent < answer.length; ) sent += writeSync(1, answer, sent);
  }
}
