// Package statement runs SQL that is kept as text by way of database/sql: a file
// holds named sections, arguments have names, and each database gets the text as it
// takes it. A store that is to run on several databases writes its statements once
// for each of them and the code around them once.
//
//   - [Read] and [Compile] turn text into a [Set] and a [Query].
//   - A [Session] is where they run: a *sql.DB, a *sql.Tx, a *sql.Conn, or a [Conn],
//     which is a connection that prepares each text once.
//   - [Tx] runs a function in a transaction, and [Retry] repeats it.
//   - [State] and the functions beside it classify what a driver returned.
package statement
