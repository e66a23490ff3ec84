// Runs SQL on TimescaleDB's community edition inside of this process.
//
//   node tests/lab/tsl.mjs PACKAGE <script.json
//
// The script is a list of {"sql": "...", "rows": true}; what comes out is a list of the rows, as
// objects, of those that ask for them. A COPY to STDOUT goes into the next COPY from STDIN. The first
// error ends it with status 1.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const base = pathToFileURL(process.argv[2] + "/dist/");
const { PGlite } = await import(new URL("index.js", base));
const { timescaledb } = await import(new URL("timescaledb/index.js", base));

const database = await PGlite.create({ extensions: { timescaledb } });
const answers = [];
let copied;
for (const { sql, rows } of JSON.parse(readFileSync(0, "utf8"))) {
    try {
        if (rows) answers.push((await database.query(sql)).rows);
        else if (/^COPY .* TO STDOUT$/s.test(sql))
            copied = (await database.query(sql.replace(/STDOUT$/, "'/dev/blob'"))).blob;
        else if (/^COPY .* FROM STDIN$/s.test(sql))
            await database.query(sql.replace(/STDIN$/, "'/dev/blob'"), [], { blob: copied });
        else await database.exec(sql);
    } catch (error) {
        console.error(`${error.message}\nin: ${sql}`);
        process.exit(1);
    }
}
console.log(JSON.stringify(answers));
process.exit(0);
