"""Progress of long work: a bar on a terminal, plain lines anywhere else."""

import sys
import time

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Counts steps of a task of known length and says how it goes.

    On a terminal a tqdm bar; otherwise a line every few seconds and one at the end, so that logs
    stay readable.
    """

    def __init__(self, task: str, total: int, unit: str = "step", done: int = 0) -> None:
        self.task, self.total, self.unit, self.done = task, total, unit, done
        self.started, self.first = time.monotonic(), done
        self.last_line, self.said = self.started, done
        self.note = ""
        self.bar = None
        if sys.stderr.isatty():
            self.bar = tqdm(total=total, initial=done, desc=task, unit=unit, leave=True)
        elif 0 < done < total:
            print(f"{task}: goes on from {unit} {done}/{total}", flush=True)

    def __enter__(self) -> "Progress":
        """Returns itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Closes the bar, or prints the last line."""
        if self.bar is not None:
            self.bar.close()
        elif kind is None and self.done > self.said:
            self._line()

    def update(self, done: int, note: str = "") -> None:
        """Says that `done` of the total are finished, with a note such as the loss."""
        self.done, self.note = done, note or self.note
        if self.bar is not None:
            self.bar.set_postfix_str(self.note, refresh=False)
            self.bar.update(done - self.bar.n)
        elif time.monotonic() - self.last_line > SECONDS_BETWEEN_LINES:
            self._line()

    def _line(self) -> None:
        self.last_line, self.said = time.monotonic(), self.done
        rate = (self.done - self.first) / max(self.last_line - self.started, 1e-9)
        left = (self.total - self.done) / max(rate, 1e-9)
        note = f"  {self.note}" if self.note else ""
        print(
            f"{self.task}: {self.unit} {self.done}/{self.total}{note}"
            f"  {rate:.1f} {self.unit}s/s  {left:.0f} s left",
            flush=True,
        )
