/** The instruments that some work creates on the global meter provider: their types, units and descriptions. */
import { createNoopMeter, type Meter, type MetricOptions, metrics } from '@opentelemetry/api';

/** An instrument as it was created. */
export interface CreatedInstrument {
  type: string;
  unit: string;
  description: string;
}

/** Runs the work with a global meter provider that records instruments and measures nothing; by name. */
export function recordInstruments(work: () => void): Record<string, CreatedInstrument> {
  const created: Record<string, CreatedInstrument> = {};
  const silent = createNoopMeter();
  const recorded =
    <Instrument>(type: string, create: (name: string) => Instrument) =>
    (name: string, { unit = '', description = '' }: MetricOptions = {}) => {
      created[name] = { type, unit, description };
      return create(name);
    };
  const meter: Meter = {
    createGauge: recorded('gauge', (name) => silent.createGauge(name)),
    createHistogram: recorded('histogram', (name) => silent.createHistogram(name)),
    createCounter: recorded('counter', (name) => silent.createCounter(name)),
    createUpDownCounter: recorded('up-down counter', (name) => silent.createUpDownCounter(name)),
    createObservableGauge: recorded('gauge', (name) => silent.createObservableGauge(name)),
    createObservableCounter: recorded('counter', (name) => silent.createObservableCounter(name)),
    createObservableUpDownCounter: recorded('up-down counter', (name) => silent.createObservableUpDownCounter(name)),
    addBatchObservableCallback: () => undefined,
    removeBatchObservableCallback: () => undefined,
  };
  metrics.setGlobalMeterProvider({ getMeter: () => meter });
  try {
    work();
  } finally {
    metrics.disable();
  }
  return created;
}
