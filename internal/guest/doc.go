// Package guest has no code. Its tests make modules of somebody else's, with
// nothing but a replace line, and see what those compile and whether their own
// types of users pass storetest.
package guest
