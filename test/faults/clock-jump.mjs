// Loaded into the program: its clock jumps by the second of FAULT_CLOCK's two numbers (milliseconds) after the first.
const [after = 0, by = 0] = (process.env.FAULT_CLOCK ?? '').split(':').map(Number);
const RealDate = Date;
const started = RealDate.now();
const now = () => RealDate.now() + (RealDate.now() - started >= after ? by : 0);

globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(now());
    else super(...values);
  }

  static now() {
    return now();
  }
};
