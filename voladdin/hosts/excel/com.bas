' Starts Python by xlwings' library and gives its COM server: after xlwings' own VBA (BSD 3-clause, the notice
' above), of which this is all that is used.

#If Win64 Then
Private Const LIBRARY As String = "xlwings64-{version}.dll"
Private Declare PtrSafe Function XLPyDLLActivateAuto Lib "xlwings64-{version}.dll" (ByRef result As Variant, Optional ByVal command As String = "", Optional ByVal mode As Long = 1) As Long
#Else
Private Const LIBRARY As String = "xlwings32-{version}.dll"
Private Declare PtrSafe Function XLPyDLLActivateAuto Lib "xlwings32-{version}.dll" (ByRef result As Variant, Optional ByVal command As String = "", Optional ByVal mode As Long = 1) As Long
#End If
Private Declare PtrSafe Function LoadLibrary Lib "kernel32" Alias "LoadLibraryA" (ByVal file As String) As LongPtr
Private Declare PtrSafe Sub Sleep Lib "kernel32" (ByVal milliseconds As Long)

