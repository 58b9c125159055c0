//! Direct access to the database, with tools that every installation has: `psql` for PostgreSQL, Python for SQLite. One
//! statement per line.

use super::Field;
use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Runs each line of its input, and says `done` after it.
const SQLITE: &str = "
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for line in sys.stdin:
    database.execute(line).fetchall()
    print('done', flush=True)
";

/// A database session. Dropping it ends the session and rolls back an open transaction.
pub struct Sql {
    shell: Child,
    output: BufReader<ChildStdout>,
    after: &'static str,
}

impl Sql {
    /// Opens a session with the database of this field.
    pub fn open(field: &Field) -> Result<Self> {
        let (mut command, after) = match &field.database_url {
            Some(url) => {
                let mut psql = Command::new("psql");
                psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", url]);
                (psql, ";\n\\echo done\n")
            }
            None => {
                let mut python = Command::new("python3");
                python.args(["-c", SQLITE]).arg(field.host.data(0).join("parlour.db"));
                (python, "\n")
            }
        };
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(shell.stdout.take().ok_or(ErrorKind::BrokenPipe)?);
        Ok(Self { shell, output, after })
    }

    /// Runs one statement to its end. Blocks the thread meanwhile.
    pub fn run(&mut self, statement: &str) -> Result<()> {
        let input = self.shell.stdin.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        input.write_all(format!("{statement}{}", self.after).as_bytes())?;
        input.flush()?;
        let mut line = String::new();
        while line != "done\n" {
            line.clear();
            if self.output.read_line(&mut line)? == 0 {
                return Err(Error::other(format!("the database refuses: {statement}")));
            }
        }
        Ok(())
    }
}

impl Drop for Sql {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
