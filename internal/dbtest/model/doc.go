// Package model tries orders of statements.
package model
