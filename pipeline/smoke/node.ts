import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../host/process.js'

/** A service of a node, by its name on a machine with systemd. */
export type Service = 'containerd' | 'docker'

/** A machine for a test: namespaces of this one, or a virtual machine. */
export interface Node {
  readonly name: string
  /** IPv4, without the prefix length. */
  readonly address: string
  /** Whether it was booted, and follows a recipe as it is. */
  readonly booted: boolean
  /** Runs a command on the node; `input` is what it reads. */
  run(command: string, args: readonly string[], input?: string): Promise<Outcome>
  /** Runs a command on the node that must succeed; gives its stdout. */
  succeed(command: string, ...args: string[]): Promise<string>
  /** Runs a shell script on the node as if it was pasted there; it must succeed. */
  shell(text: string): Promise<string>
  /** Runs `ctr` in the namespace of Kubernetes; it must succeed. */
  ctr(...args: string[]): Promise<string>
  /** Starts the machine again, and waits until it is up; only of one that was booted. */
  reboot?(): Promise<void>
  /** Starts a service again; containers go on. */
  restart(service: Service): Promise<void>
  /** What it last said, for whoever looks for a fault. */
  logs(): Promise<string>
  /** What is there of the node on this machine after it was stopped. */
  leftovers(): Promise<string[]>
  /** Ends every process of the node and removes what it leaves. Not asynchronous, so that it can be done at exit. */
  stop(): void
}

let patience = 1

/** Waits so many times as long from now on: for machines that are emulated. */
export function bePatient(factor: number): void {
  patience = factor
}

/** Asks again until the answer is something; gives it. Throws what was waited for after `seconds`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false | ''>,
  seconds = 60,
): Promise<T> {
  for (
    const deadline = Date.now() + seconds * patience * 1000;
    Date.now() < deadline;
    await sleep(200)
  ) {
    const answer = await ask()
    if (answer !== undefined && answer !== false && answer !== '') return answer
  }
  throw new Error(`not within ${seconds * patience} s: ${what}`)
}
