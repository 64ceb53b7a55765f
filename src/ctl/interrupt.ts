/** Ctrl-C and the signals that end a service, kept until somebody looks. */
export class Interrupt implements Disposable {
  came = false;
  private readonly take = (): void => {
    this.came = true;
  };

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.take);
  }

  [Symbol.dispose](): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.take);
  }
}
