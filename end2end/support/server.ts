// A private server: its own port, its own data directory, stopped by whoever started it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(__dirname, "../..");

/** $END2END_SERVER, or what `cargo leptos build` and `cargo test` leave. */
function executable(): string {
  const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
  const path = process.env.END2END_SERVER ?? join(target, "debug", "parlour");
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`cargo leptos build\` first`);
  return path;
}

/** The environment without anybody's settings for the server. */
function environment(): NodeJS.ProcessEnv {
  const settings = /^(PARLOUR_|LEPTOS_|DATABASE_URL$|REDIS_URL$)/;
  const inherited = Object.entries(process.env).filter(([name]) => !settings.test(name));
  return {
    ...Object.fromEntries(inherited),
    LEPTOS_OUTPUT_NAME: "parlour",
    LEPTOS_SITE_ROOT: join(root, "target", "site"),
    RUST_LOG: process.env.RUST_LOG ?? "warn",
  };
}

export class Server {
  private child?: ChildProcess;
  private port = 0;
  /** Holds its database. */
  readonly directory = mkdtempSync(join(tmpdir(), "parlour-end2end-"));
  private readonly killed = () => this.child?.kill("SIGKILL");

  private constructor(private readonly limits: string[]) {}

  /** A server that limits nothing, or as these flags say. */
  static async start(limits = ["--limits", "off"]): Promise<Server> {
    const server = new Server(limits);
    process.once("exit", server.killed);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, on the port and with the data of the last time. */
  async start(): Promise<void> {
    const flags = ["--addr", `127.0.0.1:${this.port}`, "--data", this.directory, "--allowed-hosts", "chat.example", ...this.limits];
    const child = spawn(executable(), flags, { cwd: this.directory, env: environment(), stdio: ["ignore", "pipe", "inherit"] });
    this.child = child;
    for await (const line of createInterface(child.stdout)) {
      const listens = /^parlour listens on http:\/\/127\.0\.0\.1:(\d+),/.exec(line);
      if (!listens) continue;
      this.port = Number(listens[1]);
      child.stdout.resume();
      return;
    }
    throw new Error("the server ended before it listened; its reason stands above");
  }

  /** Runs a command of the host beside it, such as `delete room --yes`. */
  command(...words: string[]): void {
    const done = spawnSync(executable(), [...words, "--data", this.directory], { cwd: this.directory, env: environment(), encoding: "utf8" });
    if (done.status !== 0) throw new Error(`parlour ${words.join(" ")}: ${done.stderr}`);
  }

  /** Asks it to stop (SIGTERM), and waits until it has. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** Takes its life (SIGKILL): what is lost with the process is lost. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Stops it, and removes what it has stored. */
  async remove(): Promise<void> {
    await this.kill();
    process.off("exit", this.killed);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
